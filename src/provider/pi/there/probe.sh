# Says which directory this is, and which build the program $1 is; 97 is none.
pwd
command -v "$1" >/dev/null 2>&1 || exit 97
exec "$1" --version </dev/null 2>&1
