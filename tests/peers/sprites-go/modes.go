package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"

	sprites "github.com/superfly/sprites-go"
)

// modes are jobs, each in the way that the SDK documents.
var modes = map[string]func(*sprites.Sprite, []string) error{
	"make": made,
	"look": func(sprite *sprites.Sprite, _ []string) error { return looked(sprite) },
	"exec-true": func(sprite *sprites.Sprite, args []string) error {
		count, err := strconv.Atoi(args[0])
		for run := 0; run < count && err == nil; run++ {
			err = sprite.Command("true").Run()
		}
		return err
	},
	"exec-out": func(sprite *sprites.Sprite, args []string) error {
		return sprite.Command("head", "-c", args[0], "/dev/zero").Run()
	},
	"exec-in": func(sprite *sprites.Sprite, args []string) error {
		size, err := strconv.ParseInt(args[0], 10, 64)
		if err != nil {
			return err
		}
		cmd := sprite.Command("wc", "-c")
		cmd.Stdin = io.LimitReader(zeros{}, size)
		out, err := cmd.Output()
		if err == nil && strings.TrimSpace(string(out)) != args[0] {
			err = fmt.Errorf("%s bytes arrived, not %d", strings.TrimSpace(string(out)), size)
		}
		return err
	},
	"cp-up": func(sprite *sprites.Sprite, args []string) error {
		return up(sprite.Filesystem(), args[0], args[1])
	},
	"cp-down": func(sprite *sprites.Sprite, args []string) error {
		return down(sprite.Filesystem(), args[0], args[1])
	},
	"cp-many": func(sprite *sprites.Sprite, args []string) error {
		list, err := os.ReadDir(args[0])
		for _, entry := range list {
			if err == nil {
				err = up(sprite.Filesystem(), path.Join(args[0], entry.Name()), path.Join(args[1], entry.Name()))
			}
		}
		return err
	},
	"cp-many-down": func(sprite *sprites.Sprite, args []string) error {
		files := sprite.Filesystem()
		list, err := files.ReadDir(args[0])
		for _, entry := range list {
			if err == nil {
				err = down(files, path.Join(args[0], entry.Name()), path.Join(args[1], entry.Name()))
			}
		}
		return err
	},
	"list": func(_ *sprites.Sprite, args []string) error {
		list, err := client.ListAllSprites(ctx, strings.Join(args, ""))
		for _, sprite := range list {
			fmt.Println(sprite.Name())
		}
		return err
	},
}

// made is something for another client to see: a label, a file, a checkpoint.
func made(sprite *sprites.Sprite, args []string) error {
	if _, err := client.CreateSpriteWithOrg(ctx, sprite.Name(), nil, nil, []string{"made"}); err != nil {
		return err
	}
	if err := sprite.FilesystemAt(home).WriteFile("note", []byte(args[0]), 0o644); err != nil {
		return err
	}
	_, err := lines(sprite.CreateCheckpointWithComment(ctx, args[0]))
	return err
}

// looked is what another client made.
func looked(sprite *sprites.Sprite) error {
	info, err := client.GetSprite(ctx, sprite.Name())
	if err != nil {
		return err
	}
	note, err := sprite.FilesystemAt(home).ReadFile("note")
	if err != nil {
		return err
	}
	out, err := sprite.Command("cat", "note").Output()
	if err != nil {
		return err
	}
	list, err := sprite.ListCheckpoints(ctx, "")
	if err != nil {
		return err
	}
	checkpoints := [][]string{}
	for _, checkpoint := range list {
		if checkpoint.ID != "Current" && checkpoint.ID != "v0" {
			checkpoints = append(checkpoints, []string{checkpoint.ID, checkpoint.Comment})
		}
	}
	seen := object{"labels": info.Labels, "note": string(note), "output": string(out), "checkpoints": checkpoints}
	return json.NewEncoder(os.Stdout).Encode(seen)
}

type zeros struct{}

func (zeros) Read(into []byte) (int, error) {
	clear(into)
	return len(into), nil
}

func up(files sprites.FS, local, remote string) error {
	data, err := os.ReadFile(local)
	if err != nil {
		return err
	}
	return files.WriteFile(remote, data, 0o644)
}

func down(files sprites.FS, remote, local string) error {
	data, err := files.ReadFile(remote)
	if err != nil {
		return err
	}
	return os.WriteFile(local, data, 0o644)
}
