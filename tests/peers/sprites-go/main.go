// Drives the official Go SDK of Sprites against the server in SPRITES_ENDPOINT with the token in SPRITES_TOKEN.
//
//	sprites-go steps             every call of the SDK in turn; one JSON line each: step, ok, value or error
//	sprites-go MODE SPRITE ARG…  one job: see modes.go
//	sprites-go listen            an echo server on a port that it prints, until its stdin ends
//
// What the lines must hold is not known here: the tests compare them.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	sprites "github.com/superfly/sprites-go"
)

const (
	home    = "/home/sprite"
	limit   = 60 * time.Second // for one step
	waiting = 30 * time.Second // for what another process or the server does
)

type object = map[string]any

type step struct {
	name string
	work func() (any, error)
}

var (
	ctx      = context.Background()
	endpoint = os.Getenv("SPRITES_ENDPOINT")
	client   = sprites.New(os.Getenv("SPRITES_TOKEN"), sprites.WithBaseURL(endpoint))
	box      = client.Sprite("box")
	files    = box.FilesystemAt(home)
)

func main() {
	switch os.Args[1] {
	case "steps":
		for _, list := range [][]step{spriteSteps, execSteps, sessionSteps, checkpointSteps, fileSteps, serviceSteps, portSteps, endSteps} {
			for _, one := range list {
				one.run()
			}
		}
	case "listen":
		listen()
	default:
		if err := modes[os.Args[1]](client.Sprite(os.Args[2]), os.Args[3:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func (s step) run() {
	done := make(chan object, 1)
	go func() {
		value, err := s.work()
		if err != nil {
			done <- object{"step": s.name, "ok": false, "error": told(err)}
		} else {
			done <- object{"step": s.name, "ok": true, "value": value}
		}
	}()
	var line object
	select {
	case line = <-done:
	case <-time.After(limit):
		line = object{"step": s.name, "ok": false, "error": object{"text": fmt.Sprintf("not done after %v", limit)}}
	}
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
}

// told is what is left of an error: its type and text, and what the SDK adds.
func told(err error) object {
	said := object{"class": strings.TrimPrefix(fmt.Sprintf("%T", err), "*"), "text": err.Error()}
	var api *sprites.APIError
	if errors.As(err, &api) {
		said["status"] = api.StatusCode
	}
	var exit *sprites.ExitError
	if errors.As(err, &exit) {
		said["exit"] = exit.Code
	}
	return said
}

// until waits for what another process or the server does.
func until(what string, check func() bool) error {
	for end := time.Now().Add(waiting); !check(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("waited in vain for %s", what)
		}
	}
	return nil
}

// sink is where a command's output goes while the step looks on.
type sink struct {
	mu   sync.Mutex
	data []byte
}

func (s *sink) Write(data []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data = append(s.data, data...)
	return len(data), nil
}

func (s *sink) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.data)
}

func (s *sink) says(text string) error {
	return until(text, func() bool { return strings.Contains(s.String(), text) })
}

// exitCode takes an exit status that is not 0 for a result, not a failure.
func exitCode(err error) (int, error) {
	var exit *sprites.ExitError
	if errors.As(err, &exit) {
		return exit.Code, nil
	}
	return 0, err
}

// sh is a command whose output goes nowhere but to sinks: one that is not set would be this program's own.
func sh(script string) (cmd *sprites.Cmd, out, errs *sink) {
	cmd, out, errs = box.Command("sh", "-c", script), &sink{}, &sink{}
	cmd.Stdout, cmd.Stderr = out, errs
	return cmd, out, errs
}

// output runs a command for its stdout.
func output(name string, arg ...string) (string, error) {
	cmd := box.Command(name, arg...)
	cmd.Stderr = io.Discard
	out, err := cmd.Output()
	return string(out), err
}

func listen() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	for {
		conn, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		go func() {
			_, _ = io.Copy(conn, conn)
			_ = conn.Close()
		}()
	}
}
