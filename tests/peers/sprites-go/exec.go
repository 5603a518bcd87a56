package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"io/fs"
	"math/rand"
	"os"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	sprites "github.com/superfly/sprites-go"
)

// randomBytes are the same in every run, and begin with each stream id of the exec protocol.
func randomBytes(size int) []byte {
	data := make([]byte, size)
	_, _ = rand.New(rand.NewSource(1)).Read(data)
	copy(data, []byte{3, 0, 4, 1, 2, 255})
	return data
}

func same(a, b []byte) bool { return sha256.Sum256(a) == sha256.Sum256(b) }

// fed runs a command with this on its stdin; its stdout.
func fed(input io.Reader, name string, arg ...string) ([]byte, error) {
	cmd := box.Command(name, arg...)
	cmd.Stdin, cmd.Stderr = input, io.Discard
	return cmd.Output()
}

func fedText(input io.Reader, name string, arg ...string) (any, error) {
	out, err := fed(input, name, arg...)
	return strings.TrimSpace(string(out)), err
}

var execSteps = []step{
	{"exec.run", func() (any, error) {
		cmd, out, errs := sh("echo out; echo err >&2")
		code, err := exitCode(cmd.Run())
		if err != nil {
			return nil, err
		}
		return object{"code": code, "stdout": out.String(), "stderr": errs.String()}, nil
	}},
	{"exec.output", func() (any, error) { return output("echo", "hi") }},
	{"exec.combined", func() (any, error) {
		// In whichever order they came: they are two streams.
		out, err := box.Command("sh", "-c", "echo out; echo err >&2").CombinedOutput()
		return slices.Sorted(strings.FieldsSeq(string(out))), err
	}},
	{"exec.arguments", func() (any, error) {
		return output("printf", "%s|", "a b", "q'\"", "", "*", "$HOME", "+&%20=", "\n", "ü")
	}},
	{"exec.env", func() (any, error) {
		cmd, out, _ := sh(`printf %s "$GREETING"`)
		cmd.Env = []string{"PATH=/usr/bin:/bin", "GREETING=a b=c&d+e%20\nü"}
		err := cmd.Run()
		return out.String(), err
	}},
	{"exec.dir", func() (any, error) {
		if err := files.WriteFile("work/file", nil, 0o644); err != nil {
			return nil, err
		}
		cmd, out, _ := sh(`basename "$PWD"; ls`)
		cmd.Dir = home + "/work"
		err := cmd.Run()
		return out.String(), err
	}},
	{"exec.exit_codes", func() (any, error) {
		codes := []int{}
		for _, script := range []string{"exit 0", "exit 1", "exit 3", "exit 126", "exit 255", "kill -TERM $$", "kill -KILL $$"} {
			cmd, _, _ := sh(script)
			code, err := exitCode(cmd.Run())
			if err != nil {
				return nil, err
			}
			codes = append(codes, code)
		}
		return codes, nil
	}},
	{"exec.check", func() (any, error) {
		cmd, _, _ := sh("echo oops >&2; exit 3")
		return nil, cmd.Run()
	}},
	{"exec.not_found", func() (any, error) {
		cmd := box.Command("surely-not-there")
		cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
		return exitCode(cmd.Run())
	}},
	{"exec.missing_sprite", func() (any, error) { return nil, client.Sprite("nothing-here").Command("true").Run() }},
	{"exec.stdin", func() (any, error) { return fedText(strings.NewReader("hi\nthere"), "cat") }},
	{"exec.stdin.pipe", func() (any, error) {
		cmd := box.Command("cat")
		stdin, err := cmd.StdinPipe()
		if err != nil {
			return nil, err
		}
		out, errs := &sink{}, &sink{}
		cmd.Stdout, cmd.Stderr = out, errs
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		for _, part := range []string{"one\n", "two\n"} {
			if _, err := io.WriteString(stdin, part); err != nil {
				return nil, err
			}
			if err := out.says(part); err != nil {
				return nil, err
			}
		}
		if err := stdin.Close(); err != nil {
			return nil, err
		}
		err = cmd.Wait()
		return out.String(), err
	}},
	{"exec.stdin.empty", func() (any, error) { return fedText(strings.NewReader(""), "wc", "-c") }},
	{"exec.stdin.none", func() (any, error) { return fedText(nil, "wc", "-c") }},
	{"exec.stdin.unread", func() (any, error) {
		return fedText(bytes.NewReader(bytes.Repeat([]byte("x"), 1<<20)), "head", "-c", "2")
	}},
	{"exec.binary", func() (any, error) {
		data := randomBytes(5 << 20)
		out, err := fed(bytes.NewReader(data), "cat")
		return object{"size": len(out), "same": same(data, out)}, err
	}},
	{"exec.binary.out", func() (any, error) {
		out, err := fed(nil, "head", "-c", "20000000", "/dev/zero")
		return object{"size": len(out), "same": bytes.Count(out, []byte{0}) == len(out)}, err
	}},
	{"exec.tty", func() (any, error) {
		cmd, out, _ := sh("stty size; test -t 0 && test -t 1 && echo tty")
		cmd.SetTTY(true)
		if err := cmd.SetTTYSize(30, 99); err != nil {
			return nil, err
		}
		err := cmd.Run()
		return out.String(), err
	}},
	{"exec.tty.stdin", func() (any, error) {
		cmd, out, _ := sh("exec cat")
		cmd.SetTTY(true)
		cmd.Stdin = strings.NewReader("hello\n\x04")
		err := cmd.Run()
		return out.String(), err
	}},
	{"exec.tty.exit", func() (any, error) {
		cmd, _, _ := sh("exit 7")
		cmd.SetTTY(true)
		return exitCode(cmd.Run())
	}},
	{"exec.resize", func() (any, error) {
		cmd, out, _ := sh("stty -echo; stty size; read line; stty size")
		cmd.SetTTY(true)
		if err := cmd.SetTTYSize(24, 80); err != nil {
			return nil, err
		}
		typed, write := io.Pipe()
		cmd.Stdin = typed
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		if err := out.says("24 80"); err != nil {
			return nil, err
		}
		if err := cmd.Resize(40, 120); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(write, "\n"); err != nil {
			return nil, err
		}
		err := cmd.Wait()
		return out.String(), err
	}},
	{"exec.signal", func() (any, error) {
		cmd, out, _ := sh(`trap "echo got; exit 3" TERM; echo ready; while :; do sleep 0.05; done`)
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		if err := out.says("ready"); err != nil {
			return nil, err
		}
		if err := cmd.Signal("TERM"); err != nil {
			return nil, err
		}
		code, err := exitCode(cmd.Wait())
		return []any{code, out.String()}, err
	}},
	{"exec.timeout", func() (any, error) {
		// The command outlives the time-out: the SDK only leaves it.
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		cmd := box.CommandContext(short, "sleep", "7001")
		cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
		err := cmd.Run()
		list, failed := box.ListSessions(ctx)
		if failed != nil {
			return nil, failed
		}
		return object{"text": err.Error(), "remote_left": slices.ContainsFunc(list, commandHas("7001"))}, nil
	}},
	{"exec.without_control", func() (any, error) {
		direct := sprites.New(os.Getenv("SPRITES_TOKEN"), sprites.WithBaseURL(endpoint), sprites.WithDisableControl())
		cmd := direct.Sprite("box").Command("echo", "hi")
		cmd.Stderr = io.Discard
		out, err := cmd.Output()
		return []string{string(out), cmd.ConnectionMode()}, err
	}},
}

func commandHas(text string) func(*sprites.Session) bool {
	return func(session *sprites.Session) bool { return strings.Contains(session.Command, text) }
}

// sessionOf is the session whose command holds this text, once there is one.
func sessionOf(text string) (found *sprites.Session, err error) {
	err = until("a session of "+text, func() bool {
		list, _ := box.ListSessions(ctx)
		if at := slices.IndexFunc(list, commandHas(text)); at >= 0 {
			found = list[at]
		}
		return found != nil
	})
	return found, err
}

// twoClients is a session that waits for a file, a second client that attaches to it, then the file.
func twoClients(name string, tty bool) (any, error) {
	first, out, _ := sh("echo ready; until test -e " + name + "; do sleep 0.05; done; echo done; exit 5")
	first.SetTTY(tty)
	if err := first.Start(); err != nil {
		return nil, err
	}
	if err := out.says("ready"); err != nil {
		return nil, err
	}
	session, err := sessionOf(name)
	if err != nil {
		return nil, err
	}
	second, seen := box.AttachSession(session.ID), &sink{}
	second.Stdout, second.Stderr = seen, io.Discard
	var attached atomic.Bool
	second.TextMessageHandler = func(data []byte) {
		var message struct{ Type string }
		if json.Unmarshal(data, &message) == nil && message.Type == "session_info" {
			attached.Store(true)
		}
	}
	if err := second.Start(); err != nil {
		return nil, err
	}
	if err := until("the attachment", attached.Load); err != nil {
		return nil, err
	}
	if err := files.WriteFile(name, nil, 0o644); err != nil {
		return nil, err
	}
	codes := []int{}
	for _, cmd := range []*sprites.Cmd{first, second} {
		code, err := exitCode(cmd.Wait())
		if err != nil {
			return nil, err
		}
		codes = append(codes, code)
	}
	words := strings.Fields(seen.String())
	return object{"codes": codes, "ends": words[max(0, len(words)-1):]}, nil
}

var sessionSteps = []step{
	{"session.list", func() (any, error) {
		cmd := box.Command("sleep", "7002")
		cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		session, err := sessionOf("7002")
		if err != nil {
			return nil, err
		}
		if err := cmd.Signal("TERM"); err != nil {
			return nil, err
		}
		code, err := exitCode(cmd.Wait())
		if err != nil {
			return nil, err
		}
		return object{
			"command": path.Base(session.Command), "id": session.ID != "", "tty": session.TTY,
			"workdir": session.Workdir != "", "age": time.Since(session.Created).Abs() < time.Minute, "code": code,
		}, nil
	}},
	{"session.attach", func() (any, error) { return twoClients("go-plain", false) }},
	// Without the control socket the SDK reads a terminal's bytes as frames, and so drops them.
	{"session.attach.tty", func() (any, error) { return twoClients("go-tty", true) }},
	{"session.attach.missing", func() (any, error) {
		cmd := box.AttachSession("999999999")
		cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
		return nil, cmd.Run()
	}},
}

func exists(name string) bool {
	_, err := files.Stat(name)
	return err == nil
}

func read(name string) (string, error) {
	data, err := fs.ReadFile(files, name)
	return string(data), err
}
