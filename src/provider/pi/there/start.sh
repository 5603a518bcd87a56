# Starts an agent with what is its own there: $1 is the program, $2 the endpoint, $3 how much of the user's it gets; its
# arguments follow. Its variables and the guard come on stdin, before the first line of the protocol: on a command line
# others could see them. `read` takes no byte beyond its line.
set -u
umask 077
program=$1 endpoint=$2 share=$3
shift 3
if [ "$share" != config ]; then
    key=$(pwd | cksum | tr ' ' -)
    root=${XDG_STATE_HOME:-$HOME/.local/state}/esker/agents/$endpoint/${key%-}
    mkdir -p "$root/home" "$root/agent" || exit 1
    for name in $(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p'); do
        case $name in PATH | LANG | LC_ALL | LC_CTYPE | TZ | TMPDIR) ;; *) unset "$name" 2>/dev/null || : ;; esac
    done
    HOME=$root/home PI_CODING_AGENT_DIR=$root/agent
    [ "${program##*/}" = omp ] && PI_CODING_AGENT_DIR=$HOME/.omp/agent
    export PATH HOME PI_CODING_AGENT_DIR
fi
LANG=${LANG:-C.UTF-8}
export LANG
while IFS= read -r line && [ -n "$line" ]; do export "$line"; done
guard=
while IFS= read -r line && [ "$line" != . ]; do guard="$guard$line
"; done
if [ -n "$guard" ]; then
    printf %s "$guard" >"$root/guard.ts" || exit 1
    set -- "$@" --extension "$root/guard.ts"
fi
exec "$program" "$@"
