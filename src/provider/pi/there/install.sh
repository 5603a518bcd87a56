# Installs a package where the others look for its program: $1 with a Node of 22.19 or later, $2 with an older one.
set -eu
command -v npm >/dev/null 2>&1 || { echo 'there is no npm' >&2; exit 1; }
package=$2
if node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a * 100 + b >= 2219 ? 0 : 1)'; then
    package=$1
fi
mkdir -p "$tools"
cd "$tools"
exec npm install --prefix . --ignore-scripts --no-audit --no-fund --loglevel=error "$package" >&2
