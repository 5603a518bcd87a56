package main

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	sprites "github.com/superfly/sprites-go"
)

type messages interface {
	ProcessAll(func(*sprites.StreamMessage) error) error
}

// lines are the type and the text of each message.
func lines(stream messages, err error) ([][2]string, error) {
	lines := [][2]string{}
	if err != nil {
		return nil, err
	}
	err = stream.ProcessAll(func(message *sprites.StreamMessage) error {
		lines = append(lines, [2]string{message.Type, message.Data + message.Error})
		return nil
	})
	return lines, err
}

var checkpointSteps = []step{
	{"checkpoint.create", func() (any, error) {
		if err := files.WriteFile("state", []byte("before"), 0o644); err != nil {
			return nil, err
		}
		lines, err := lines(box.CreateCheckpointWithComment(ctx, `first, with "quotes" and ü`))
		if err != nil {
			return nil, err
		}
		ids := []string{}
		for _, line := range lines {
			if found := regexp.MustCompile(`^\s*ID:\s*(\S+)`).FindStringSubmatch(line[1]); found != nil {
				ids = append(ids, found[1])
			}
		}
		return object{"ids": ids, "last": lines[len(lines)-1]}, nil
	}},
	{"checkpoint.list", func() (any, error) { return checkpoints(sprites.ListCheckpointsOptions{}) }},
	{"checkpoint.list.auto", func() (any, error) {
		ids, err := checkpoints(sprites.ListCheckpointsOptions{IncludeAuto: true})
		return slices.Contains(ids, "v1"), err
	}},
	{"checkpoint.get", func() (any, error) {
		checkpoint, err := box.GetCheckpoint(ctx, "v1")
		if err != nil {
			return nil, err
		}
		age := time.Since(checkpoint.CreateTime)
		recent := age > -5*time.Second && age < 10*time.Minute
		return object{"id": checkpoint.ID, "comment": checkpoint.Comment, "age": recent}, nil
	}},
	{"checkpoint.get.missing", func() (any, error) { return box.GetCheckpoint(ctx, "v99") }},
	{"checkpoint.history", func() (any, error) { return box.ListCheckpoints(ctx, "v0") }},
	{"checkpoint.restore", func() (any, error) {
		for name, text := range map[string]string{"state": "after", "extra": ""} {
			if err := files.WriteFile(name, []byte(text), 0o644); err != nil {
				return nil, err
			}
		}
		lines, err := lines(box.RestoreCheckpoint(ctx, "v1"))
		if err != nil {
			return nil, err
		}
		state, err := read("state")
		return object{"types": kinds(lines), "last": lines[len(lines)-1][1], "state": state, "extra": exists("extra")}, err
	}},
	{"checkpoint.restore.missing", func() (any, error) {
		// No error: the caller has to look.
		lines, err := lines(box.RestoreCheckpoint(ctx, "v99"))
		return kinds(lines), err
	}},
}

func kinds(lines [][2]string) []string {
	kinds := []string{}
	for _, line := range lines {
		kinds = append(kinds, line[0])
	}
	return kinds
}

func checkpoints(options sprites.ListCheckpointsOptions) ([]string, error) {
	list, err := box.ListCheckpointsWithOptions(ctx, options)
	ids := []string{}
	for _, checkpoint := range list {
		ids = append(ids, checkpoint.ID)
	}
	return ids, err
}

// entries are the names in a directory.
func entries(name string) ([]string, error) {
	list, err := files.ReadDir(name)
	names := []string{}
	for _, entry := range list {
		names = append(names, entry.Name())
	}
	slices.Sort(names)
	return names, err
}

// in order, until one fails.
func all(work ...func() error) error {
	for _, one := range work {
		if err := one(); err != nil {
			return err
		}
	}
	return nil
}

func write(name, text string) func() error {
	return func() error { return files.WriteFile(name, []byte(text), 0o644) }
}

var fileSteps = []step{
	{"fs.text", func() (any, error) {
		name := "dir/a b+c%20ü.txt"
		if err := files.WriteFile(name, []byte("grüße\n"), 0o600); err != nil {
			return nil, err
		}
		text, err := read(name)
		if err != nil {
			return nil, err
		}
		info, err := files.Stat(name)
		if err != nil {
			return nil, err
		}
		return []any{text, info.Name(), info.Size(), info.Mode().Perm().String(), info.IsDir()}, nil
	}},
	{"fs.open", func() (any, error) {
		file, err := files.Open("dir/a b+c%20ü.txt")
		if err != nil {
			return nil, err
		}
		defer file.Close()
		text, err := io.ReadAll(file)
		return string(text), err
	}},
	{"fs.binary", func() (any, error) {
		data := randomBytes(3 << 20)
		if err := files.WriteFile("blob", data, 0o644); err != nil {
			return nil, err
		}
		back, err := files.ReadFile("blob")
		return object{"size": len(back), "same": same(data, back)}, err
	}},
	{"fs.exec_sees_it", func() (any, error) {
		if err := write("seen", "by the command")(); err != nil {
			return nil, err
		}
		return output("cat", "seen")
	}},
	{"fs.list", func() (any, error) {
		if err := all(write("listed/x", ""), write("listed/y", ""), write("listed/z/deep", "")); err != nil {
			return nil, err
		}
		return entries("listed")
	}},
	{"fs.stat.directory", func() (any, error) {
		// The SDK takes the first entry of the listing: a child of the directory, not the directory.
		if err := write("parent/child", "12345")(); err != nil {
			return nil, err
		}
		info, err := files.Stat("parent")
		if err != nil {
			return nil, err
		}
		return []any{info.Name(), info.Size(), info.IsDir()}, nil
	}},
	{"fs.stat.empty_directory", func() (any, error) {
		// For the same reason an empty directory is not there.
		if _, err := output("mkdir", "hollow"); err != nil {
			return nil, err
		}
		_, err := files.Stat("hollow")
		list, failed := entries("hollow")
		return []any{!errors.Is(err, fs.ErrNotExist), list}, failed
	}},
	{"fs.mkdir", func() (any, error) {
		// The SDK leaves the file behind that makes the server make the directory.
		if err := files.MkdirAll("made/deep", 0o755); err != nil {
			return nil, err
		}
		if err := files.Mkdir("made/other", 0o755); err != nil {
			return nil, err
		}
		return output("ls", "-A", "made", "made/deep", "made/other")
	}},
	{"fs.rename", func() (any, error) {
		err := all(write("old", "moved"), func() error { return files.Rename("old", "new") })
		if err != nil {
			return nil, err
		}
		text, err := read("new")
		return []any{text, exists("old")}, err
	}},
	{"fs.copy", func() (any, error) {
		if err := files.Copy("listed", "copied"); err != nil {
			return nil, err
		}
		return entries("copied")
	}},
	{"fs.chmod", func() (any, error) {
		err := all(write("script", "#!/bin/sh\necho ran\n"), func() error { return files.Chmod("script", 0o755) })
		if err != nil {
			return nil, err
		}
		info, err := files.Stat("script")
		if err != nil {
			return nil, err
		}
		out, err := output("./script")
		return []any{info.Mode().Perm().String(), out}, err
	}},
	{"fs.remove", func() (any, error) {
		err := all(write("gone", ""), func() error { return files.Remove("gone") })
		return exists("gone"), err
	}},
	{"fs.remove_all", func() (any, error) {
		if err := files.RemoveAll("copied"); err != nil {
			return nil, err
		}
		list, err := entries(".")
		return slices.Contains(list, "copied"), err
	}},
	{"fs.root", func() (any, error) {
		// Without a directory of its own the root is the one that names are relative to.
		data, err := box.Filesystem().ReadFile(path.Join(home, "seen"))
		return string(data), err
	}},
	{"fs.read.missing", func() (any, error) {
		_, err := files.ReadFile("none")
		return errors.Is(err, fs.ErrNotExist), nil
	}},
	{"fs.read.directory", func() (any, error) { return files.ReadFile("listed") }},
	{"fs.list.file", func() (any, error) { return entries("seen") }},
	{"fs.remove.not_empty", func() (any, error) { return nil, files.Remove("listed") }},
	{"fs.remove.missing", func() (any, error) { return nil, files.Remove("none") }},
}

const script = `echo "hello you"
trap 'echo signalled >> signals' USR1
while :; do sleep 0.05; done
`

// events are their types, each once in the order of the first, and what was printed.
func events(stream *sprites.ServiceStream, err error) (object, error) {
	if err != nil {
		return nil, err
	}
	types, printed, logs := []string{}, "", []string{}
	err = stream.ProcessAll(func(event *sprites.ServiceLogEvent) error {
		if !slices.Contains(types, event.Type) {
			types = append(types, event.Type)
		}
		if event.Type == "stdout" {
			printed += event.Data
		}
		for name := range event.LogFiles {
			logs = append(logs, name)
		}
		return nil
	})
	slices.Sort(logs)
	return object{"types": types, "stdout": strings.TrimSpace(printed), "logs": logs}, err
}

func state(name string) (object, error) {
	service, err := box.GetService(ctx, name)
	if err != nil {
		return nil, err
	}
	seen := object{
		"name": service.Name, "cmd": service.Cmd, "args": len(service.Args), "needs": service.Needs,
		"http_port": service.HTTPPort,
	}
	if service.State != nil {
		seen["status"], seen["pid"] = service.State.Status, service.State.PID > 0
	}
	return seen, nil
}

func port(number int) *int { return &number }

// after is the types of a stream, without what was printed in so short a time, and the state when it ended.
func after(stream *sprites.ServiceStream, err error) (any, error) {
	seen, err := events(stream, err)
	if err != nil {
		return nil, err
	}
	now, err := state("web")
	types := slices.DeleteFunc(seen["types"].([]string), func(kind string) bool { return kind == "stdout" })
	return []any{types, now["status"]}, err
}

var serviceSteps = []step{
	{"service.create", func() (any, error) {
		request := &sprites.ServiceRequest{Cmd: "sh", Args: []string{"-c", script}, HTTPPort: port(8080)}
		return events(box.CreateServiceWithDuration(ctx, "web", request, 2500*time.Millisecond))
	}},
	{"service.create.second_port", func() (any, error) {
		request := &sprites.ServiceRequest{Cmd: "sleep", Args: []string{"1000"}, HTTPPort: port(8081)}
		return events(box.CreateService(ctx, "other", request))
	}},
	{"service.create.needs", func() (any, error) {
		request := &sprites.ServiceRequest{Cmd: "sleep", Args: []string{"1000"}, Needs: []string{"web"}}
		if _, err := events(box.CreateServiceWithDuration(ctx, "worker", request, 200*time.Millisecond)); err != nil {
			return nil, err
		}
		return state("worker")
	}},
	{"service.list", func() (any, error) {
		list, err := box.ListServices(ctx)
		names := []string{}
		for _, service := range list {
			names = append(names, service.Name)
		}
		slices.Sort(names)
		return names, err
	}},
	{"service.get", func() (any, error) { return state("web") }},
	{"service.get.missing", func() (any, error) { return state("none") }},
	{"service.signal", func() (any, error) {
		if err := box.SignalService(ctx, "web", "USR1"); err != nil {
			return nil, err
		}
		var text string
		err := until("the service's trap", func() bool { text, _ = read("signals"); return text != "" })
		return text, err
	}},
	{"service.signal.bad", func() (any, error) { return nil, box.SignalService(ctx, "web", "NOSUCH") }},
	{"service.signal.missing", func() (any, error) { return nil, box.SignalService(ctx, "none", "USR1") }},
	{"service.stop", func() (any, error) { return after(box.StopServiceWithTimeout(ctx, "web", 5*time.Second)) }},
	{"service.signal.stopped", func() (any, error) { return nil, box.SignalService(ctx, "web", "USR1") }},
	{"service.start", func() (any, error) {
		return after(box.StartServiceWithDuration(ctx, "web", 200*time.Millisecond))
	}},
	{"service.delete", func() (any, error) {
		for _, name := range []string{"worker", "web"} {
			if _, err := events(box.StopService(ctx, name)); err != nil {
				return nil, err
			}
			if err := box.DeleteService(ctx, name); err != nil {
				return nil, err
			}
		}
		list, err := box.ListServices(ctx)
		return len(list), err
	}},
	{"service.delete.missing", func() (any, error) { return nil, box.DeleteService(ctx, "none") }},
	{"policy.network", func() (any, error) {
		rules := []sprites.NetworkPolicyRule{{Domain: "*.example.com", Action: "allow"}, {Include: "defaults"}}
		if err := box.UpdateNetworkPolicy(ctx, &sprites.NetworkPolicy{Rules: rules}); err != nil {
			return nil, err
		}
		policy, err := box.GetNetworkPolicy(ctx)
		if err != nil {
			return nil, err
		}
		return policy.Rules, nil
	}},
	{"policy.network.bad", func() (any, error) {
		rules := []sprites.NetworkPolicyRule{{Domain: "example.com", Action: "maybe"}}
		return nil, box.UpdateNetworkPolicy(ctx, &sprites.NetworkPolicy{Rules: rules})
	}},
	{"policy.network.empty", func() (any, error) {
		if err := box.UpdateNetworkPolicy(ctx, &sprites.NetworkPolicy{Rules: []sprites.NetworkPolicyRule{}}); err != nil {
			return nil, err
		}
		policy, err := box.GetNetworkPolicy(ctx)
		if err != nil {
			return nil, err
		}
		return len(policy.Rules), nil
	}},
}
