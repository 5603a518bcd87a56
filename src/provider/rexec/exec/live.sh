# Feeds the program from a queue of lines, so that signals get past what it does not read.
exec 3<&0
mkfifo "$esk_d/i" "$esk_d/o" "$esk_d/e" "$esk_d/q" || exit 125
exec 8<>"$esk_d/q"
trap '' INT QUIT TERM PIPE
esk_rec O <"$esk_d/o" &
esk_a=$!
esk_b=
[ -n "$esk_merge" ] || { esk_rec E <"$esk_d/e" & esk_b=$!; }
esk_f=
if [ -n "$esk_stdin" ]; then
    {
        exec 7>"$esk_d/i"
        esk_k=0
        while IFS= read -r esk_l; do
            esk_k=$((esk_k + 1))
            case $esk_l in
            .) break ;;
            b*) printf %s "${esk_l#b}" | esk_dec >&7 ;;
            p*) printf "${esk_l#p}" >&7 ;;
            k*) cat "$esk_d/${esk_l}" >&7 ;;
            esac 2>/dev/null || {
                # Either nobody reads any more, or it could not be decoded, which is no end of input.
                case $esk_l in
                b*) printf %s "${esk_l#b}" | esk_dec >/dev/null 2>&1 || esk_say N 0 'its input cannot be decoded' ;;
                esac
                esk_say B "$esk_k" ''
                break
            }
            case $esk_l in k*) rm -f "$esk_d/$esk_l" ;; esac
            esk_say A "$esk_k" ''
        done <&8
    } &
    esk_f=$!
fi
# The terminal is gone, or whoever printed the records was killed: the program is ended.
esk_bye() {
    trap '' HUP
    if [ "$esk_l" != x ]; then
        read esk_g <"$esk_d/pid" && {
            kill -s HUP -- "-$esk_g" || kill -s HUP "$esk_g"
            sleep 2
            kill -s KILL -- "-$esk_g" || kill -s KILL "$esk_g"
        }
    fi
    rm -rf "$esk_d"
    kill -s KILL $esk_a $esk_b $esk_f $$
    exit 0
}
{
    trap esk_bye HUP
    esk_k=0
    while IFS= read -r esk_l; do
        case $esk_l in
        .) printf '%s\n' . >&8 ;;
        [bp]*)
            # The length is said first: what was damaged on the way never reaches the program.
            esk_w=${esk_l%%:*}
            esk_l=${esk_l#*:}
            if [ "${#esk_l}" != "${esk_w#?}" ]; then
                esk_say N 0 'its input was damaged on the way'
                esk_l=
                break
            fi
            printf '%s%s\n' "${esk_w%"${esk_w#?}"}" "$esk_l" >&8
            ;;
        k)
            esk_k=$((esk_k + 1))
            esk_say K "$esk_k" ''
            sed -n '/^\.$/q;p' <&3 | esk_dec >"$esk_d/k$esk_k" || esk_say N 0 'its input was damaged on the way'
            printf 'k%s\n' "$esk_k" >&8
            esk_say L "$esk_k" ''
            ;;
        s*)
            esk_g=
            read esk_g <"$esk_d/pid"
            [ -z "$esk_g" ] || kill -s "${esk_l#s}" -- "-$esk_g" || kill -s "${esk_l#s}" "$esk_g"
            ;;
        x) break ;;
        esac
    done
    esk_bye
} <&3 2>/dev/null &
esk_r=$!
trap - INT QUIT TERM PIPE
esk_i=/dev/null
[ -z "$esk_stdin" ] || esk_i=$esk_d/i
esk_say G 0 "$esk_x"
# In a shell of its own: some say "Killed" where the errors of the program go, if that is where they are themselves.
if [ -n "$esk_merge" ]; then
    (exec $esk_s /bin/sh "$esk_d/cmd" "$esk_u" <"$esk_i" >"$esk_d/o" 2>&1 3<&- 8<&- 9<&-)
else
    (exec $esk_s /bin/sh "$esk_d/cmd" "$esk_u" <"$esk_i" >"$esk_d/o" 2>"$esk_d/e" 3<&- 8<&- 9<&-)
fi
esk_c=$?
trap '' HUP INT QUIT TERM
[ ! -s "$esk_d/why" ] || esk_say Q 0 "$(esk_enc <"$esk_d/why")"
esk_say W 0 "$esk_c"
wait $esk_a $esk_b
kill -s KILL $esk_r $esk_f 2>/dev/null
rm -rf "$esk_d"
