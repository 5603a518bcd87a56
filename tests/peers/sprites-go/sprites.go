package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	sprites "github.com/superfly/sprites-go"
)

func about(sprite *sprites.Sprite) object {
	auth := ""
	if sprite.URLSettings != nil {
		auth = sprite.URLSettings.Auth
	}
	labels := slices.Sorted(slices.Values(sprite.Labels))
	return object{
		"name": sprite.Name(), "labels": append([]string{}, labels...), "auth": auth,
		"id":           strings.HasPrefix(sprite.ID, "sprite-"),
		"status":       slices.Contains([]string{"cold", "warm", "running"}, sprite.Status),
		"url":          strings.HasPrefix(sprite.URL, "http"),
		"organization": sprite.OrganizationName != "",
		"created":      !sprite.CreatedAt.IsZero() && !sprite.UpdatedAt.IsZero(),
	}
}

func got(name string) (any, error) {
	sprite, err := client.GetSprite(ctx, name)
	if err != nil {
		return nil, err
	}
	return about(sprite), nil
}

func names(list *sprites.SpriteList) []string {
	names := []string{}
	for _, info := range list.Sprites {
		names = append(names, info.Name)
	}
	return names
}

var spriteSteps = []step{
	{"sprite.create", func() (any, error) {
		// All that is kept of the answer is the name.
		sprite, err := client.CreateSpriteWithOrg(ctx, "box", nil, nil, []string{"one", "two"})
		if err != nil {
			return nil, err
		}
		return []string{sprite.Name(), sprite.Status}, nil
	}},
	{"sprite.create.taken", func() (any, error) { return client.Create("box") }},
	{"sprite.create.bad_name", func() (any, error) { return client.Create("Not A Name!") }},
	{"sprite.get", func() (any, error) { return got("box") }},
	{"sprite.get.missing", func() (any, error) { return got("nothing-here") }},
	{"sprite.bad_token", func() (any, error) {
		return sprites.New("not/the/right/token", sprites.WithBaseURL(endpoint)).GetSprite(ctx, "box")
	}},
	{"sprite.update", func() (any, error) {
		request := &sprites.UpdateSpriteRequest{Labels: []string{"three"}, URLSettings: &sprites.URLSettings{Auth: "public"}}
		if err := client.UpdateSprite(ctx, "box", request); err != nil {
			return nil, err
		}
		return got("box")
	}},
	{"sprite.update.url", func() (any, error) {
		if err := box.UpdateURLSettings(ctx, &sprites.URLSettings{Auth: "sprite"}); err != nil {
			return nil, err
		}
		return got("box")
	}},
	{"sprite.update.clear_labels", func() (any, error) {
		if err := client.UpdateSprite(ctx, "box", &sprites.UpdateSpriteRequest{ClearLabels: true}); err != nil {
			return nil, err
		}
		sprite, err := client.GetSprite(ctx, "box")
		if err != nil {
			return nil, err
		}
		return len(sprite.Labels), nil
	}},
	{"sprite.update.bad_auth", func() (any, error) {
		return nil, box.UpdateURLSettings(ctx, &sprites.URLSettings{Auth: "nobody"})
	}},
	{"sprite.list", func() (any, error) {
		for number := range 105 {
			if _, err := client.CreateSprite(ctx, fmt.Sprintf("page-%03d", number), nil); err != nil {
				return nil, err
			}
		}
		first, err := client.ListSprites(ctx, &sprites.ListOptions{Prefix: "page-", MaxResults: 2})
		if err != nil {
			return nil, err
		}
		options := &sprites.ListOptions{Prefix: "page-", MaxResults: 2, ContinuationToken: first.NextContinuationToken}
		second, err := client.ListSprites(ctx, options)
		if err != nil {
			return nil, err
		}
		return []any{[]any{names(first), first.HasMore}, []any{names(second), second.HasMore}}, nil
	}},
	{"sprite.list.all", func() (any, error) {
		pages, err := client.ListAllSprites(ctx, "page-")
		if err != nil {
			return nil, err
		}
		distinct := map[string]bool{}
		for _, sprite := range pages {
			distinct[sprite.Name()] = true
		}
		all, err := client.ListAllSpritesResult(ctx, "", nil)
		if err != nil {
			return nil, err
		}
		return object{"count": len(pages), "distinct": len(distinct), "all": len(all.Sprites)}, nil
	}},
	{"sprite.upgrade", func() (any, error) { return nil, box.Upgrade(ctx) }},
	{"sprite.version", func() (any, error) {
		other := sprites.New(os.Getenv("SPRITES_TOKEN"), sprites.WithBaseURL(endpoint))
		if err := other.FetchVersion(ctx, "box"); err != nil {
			return nil, err
		}
		return strings.HasPrefix(strings.TrimPrefix(other.SpriteVersion(), "v"), "0."), nil
	}},
	{"token.create", func() (any, error) {
		sprite, err := client.GetSprite(ctx, "box")
		if err != nil {
			return nil, err
		}
		token, err := sprites.CreateToken(ctx, os.Getenv("FLY_API_TOKEN"), sprite.OrganizationName, "", endpoint)
		if err != nil {
			return nil, err
		}
		_, err = sprites.New(token, sprites.WithBaseURL(endpoint)).GetSprite(ctx, "box")
		return object{"token": token != "", "works": err == nil}, nil
	}},
}

var endSteps = []step{
	{"sprite.delete", func() (any, error) {
		for _, end := range []func() error{
			func() error { return client.DeleteSprite(ctx, "page-000") },
			client.Sprite("page-001").Destroy,
			func() error { return box.Delete(ctx) },
		} {
			if err := end(); err != nil {
				return nil, err
			}
		}
		left, err := client.List()
		if err != nil {
			return nil, err
		}
		return len(left), nil
	}},
	{"sprite.delete.missing", func() (any, error) { return nil, box.Delete(ctx) }},
}
