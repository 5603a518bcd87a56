# Where things are, whatever this shell was given.
[ -n "${HOME:-}" ] || HOME=$(eval echo "~$(id -un)")
PATH=${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}
tools=$HOME/.local/share/esker/agents
PATH=$PATH:$tools/node_modules/.bin
export HOME PATH
