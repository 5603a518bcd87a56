esk_u=$(umask); umask 077
esk_r=$HOME/.esker-runs
esk_d=$esk_r/$esk_id
esk_no() {
    printf '\036%sN 0 %s %s.\n' "$esk_n" "${#1}" "$1"
    exit 125
}
mkdir -p "$esk_r" 2>/dev/null && mkdir "$esk_d" 2>/dev/null || esk_no 'its home cannot be written to'
{ esk_put >"$esk_d/cmd" && esk_title >"$esk_d/command" && date +%s >"$esk_d/began"; } || esk_no 'its home is full'
if [ "$(printf YQ== | base64 -d 2>/dev/null)" = a ]; then
    esk_dec() { base64 -d; }
elif [ "$(printf YQ== | openssl base64 -d -A 2>/dev/null)" = a ]; then
    esk_dec() { tr -d '\n' | openssl base64 -d -A; }
else
    esk_no 'it has neither base64 nor openssl'
fi
esk_i=/dev/null
if [ -n "$esk_stdin" ]; then
    esk_i=$esk_d/i
    : >"$esk_i"
    esk_k=0
    esk_t=0
    while printf '\036%sK %s 0 .\n' "$esk_n" "$esk_k" && IFS= read -r esk_l && [ "$esk_l" != . ]; do
        printf '\036%sL %s 0 .\n' "$esk_n" "$esk_k"
        esk_t=$((esk_t + ${esk_l#k}))
        sed -n '/^\.$/q;p' | esk_dec >>"$esk_i" || esk_no 'its input cannot be kept'
        [ "$(wc -c <"$esk_i")" -eq "$esk_t" ] || esk_no 'its input was damaged on the way'
        esk_k=$((esk_k + 1))
    done
    [ "$esk_l" = . ] || { rm -rf "$esk_d"; exit 125; }
fi
esk_s=
command -v setsid >/dev/null 2>&1 && esk_s=setsid
cat >"$esk_d/run" <<'ESK'
trap : INT TERM QUIT USR1 USR2
[ -n "$3" ] || trap '' HUP
if [ -n "$4" ]; then
    (exec $3 /bin/sh "$1/cmd" "$2" <"$5" >"$1/o" 2>&1)
else
    (exec $3 /bin/sh "$1/cmd" "$2" <"$5" >"$1/o" 2>"$1/e")
fi
echo "$? $(date +%s) $(cat "$1/why" 2>/dev/null)" >"$1/exit.new" && mv "$1/exit.new" "$1/exit"
ESK
: >"$esk_d/o"
: >"$esk_d/e"
# Without setsid the terminal's end would take it along.
[ -n "$esk_s" ] || trap '' HUP
$esk_s /bin/sh "$esk_d/run" "$esk_d" "$esk_u" "$esk_s" "$esk_merge" "$esk_i" </dev/null >/dev/null 2>&1 &
echo $! >"$esk_d/keeper"
# Not before it is out of reach of this terminal, which goes when this shell does.
while [ ! -s "$esk_d/pid" ] && [ ! -e "$esk_d/exit" ] && kill -0 $! 2>/dev/null; do
    sleep 0.02 2>/dev/null || sleep 1
done
printf '\036%sG 0 0 .\n' "$esk_n"
