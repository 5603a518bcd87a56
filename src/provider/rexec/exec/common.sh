# An own directory, an encoding, and the printing of records.
esk_u=$(umask); umask 077
esk_d=
for esk_b in "${TMPDIR:-/tmp}" /tmp "$HOME" /dev/shm /var/tmp .; do
    esk_d=$esk_b/.esker-$esk_n
    mkdir "$esk_d" 2>/dev/null && { esk_put >"$esk_d/cmd"; } 2>/dev/null && mkfifo "$esk_d/t" 2>/dev/null && break
    rm -rf "$esk_d" 2>/dev/null
    esk_d=
done
if [ "$(printf YQ== | base64 -d 2>/dev/null)" = a ]; then
    esk_x=B
    esk_enc() { base64; }
    esk_dec() { base64 -d; }
elif [ "$(printf YQ== | openssl base64 -d -A 2>/dev/null)" = a ]; then
    esk_x=b
    esk_enc() { openssl base64; }
    esk_dec() { openssl base64 -d -A; }
else
    esk_x=h
    esk_enc() { od -An -v -tx1; }
fi
esk_s=
command -v setsid >/dev/null 2>&1 && esk_s=setsid
if [ -z "$esk_d" ]; then
    esk_c='no directory can be written to'
    printf '\036%sN 0 %s %s.\n' "$esk_n" "${#esk_c}" "$esk_c"
    exit 125
fi
exec 9<>"$esk_d/t"
echo >&9
# A byte in a pipe is the right to print: two records never mix, however long they are.
esk_say() {
    read esk_t <&9
    printf '\036%s%s %s %s %s.\n' "$esk_n" "$1" "$2" "${#3}" "$3"
    echo >&9
}
# Each piece ends with an x, which stands only behind what was truly read: a piece of nothing else is the end.
esk_z=$(printf x | esk_enc)
esk_rec() {
    esk_k=0
    while esk_c=$({ dd bs=49152 count=1 2>/dev/null && printf x; } | esk_enc) && [ -n "$esk_c" ]; do
        esk_say "$1" "$esk_k" "$esk_c"
        [ "$esk_c" != "$esk_z" ] || return 0
        esk_k=$((esk_k + 1))
    done
    esk_say N 0 'its output cannot be read'
}
