package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"

	sprites "github.com/superfly/sprites-go"
)

// listener is this program as an echo server in the sprite, which has it from here, and what the exec socket said
// about its port.
type listener struct {
	port  int
	stdin io.Closer
	cmd   *sprites.Cmd
	mu    sync.Mutex
	heard []sprites.PortNotificationMessage
}

func startListener() (*listener, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if !exists("listener") {
		program, err := os.ReadFile(self)
		if err != nil {
			return nil, err
		}
		if err := files.WriteFile("listener", program, 0o755); err != nil {
			return nil, err
		}
	}
	server, out := &listener{cmd: box.Command("./listener", "listen")}, &sink{}
	server.cmd.Stdout, server.cmd.Stderr = out, io.Discard
	server.cmd.TextMessageHandler = func(data []byte) {
		var message sprites.PortNotificationMessage
		if json.Unmarshal(data, &message) == nil && strings.HasPrefix(message.Type, "port_") {
			server.mu.Lock()
			defer server.mu.Unlock()
			server.heard = append(server.heard, message)
		}
	}
	if server.stdin, err = server.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := server.cmd.Start(); err != nil {
		return nil, err
	}
	if err := out.says("\n"); err != nil {
		return nil, err
	}
	server.port, err = strconv.Atoi(strings.TrimSpace(out.String()))
	return server, err
}

func (l *listener) stop() error {
	if err := l.stdin.Close(); err != nil {
		return err
	}
	return l.cmd.Wait()
}

// opened is the notification about the port, once it came.
func (l *listener) opened() (found *sprites.PortNotificationMessage, err error) {
	err = until("the port's notification", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, message := range l.heard {
			if message.Port == l.port {
				found = &message
			}
		}
		return found != nil
	})
	return found, err
}

// echoed sends data through a connection; whether the same came back.
func echoed(conn net.Conn, data []byte) (bool, error) {
	defer conn.Close()
	sent := make(chan error, 1)
	go func() {
		_, err := conn.Write(data)
		sent <- err
	}()
	back := make([]byte, len(data))
	if _, err := io.ReadFull(conn, back); err != nil {
		return false, err
	}
	return same(data, back), <-sent
}

// withListener is a step that needs a server in the sprite.
func withListener(work func(*listener) (any, error)) func() (any, error) {
	return func() (any, error) {
		server, err := startListener()
		if err != nil {
			return nil, err
		}
		value, err := work(server)
		if err != nil {
			return nil, err
		}
		return value, server.stop()
	}
}

func throughSession(session *sprites.ProxySession) (bool, error) {
	defer session.Close()
	conn, err := net.Dial("tcp", session.LocalAddr().String())
	if err != nil {
		return false, err
	}
	return echoed(conn, randomBytes(1<<20))
}

var portSteps = []step{
	{"exec.port_events", withListener(func(server *listener) (any, error) {
		opened, err := server.opened()
		if err != nil {
			return nil, err
		}
		return []any{opened.Type, opened.Address, opened.PID > 0}, nil
	})},
	{"proxy.socket", withListener(func(server *listener) (any, error) {
		conn, err := box.ProxySocket(ctx, "tcp", fmt.Sprintf("localhost:%d", server.port))
		if err != nil {
			return nil, err
		}
		if target := conn.RemoteAddr().String(); target != fmt.Sprintf("localhost:%d", server.port) {
			return nil, fmt.Errorf("the target is %s", target)
		}
		return echoed(conn, randomBytes(1<<20))
	})},
	{"proxy.port", withListener(func(server *listener) (any, error) {
		session, err := box.ProxyPort(ctx, 0, server.port)
		if err != nil {
			return nil, err
		}
		return throughSession(session)
	})},
	{"proxy.ports", withListener(func(server *listener) (any, error) {
		mapping := sprites.PortMapping{RemotePort: server.port, RemoteHost: "127.0.0.1"}
		sessions, err := box.ProxyPorts(ctx, []sprites.PortMapping{mapping, mapping})
		if err != nil {
			return nil, err
		}
		manager, seen := sprites.NewProxyManager(), []bool{}
		for _, session := range sessions {
			manager.AddSession(session)
			same, err := throughSession(session)
			if err != nil {
				return nil, err
			}
			seen = append(seen, same)
		}
		manager.CloseAll()
		manager.WaitAll()
		return seen, nil
	})},
	{"proxy.refused", func() (any, error) {
		server, err := startListener()
		if err != nil {
			return nil, err
		}
		if err := server.stop(); err != nil {
			return nil, err
		}
		return box.ProxySocket(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", server.port))
	}},
}
