# Feeds the program from a queue of lines, so that signals get past what it does not read.
exec 3<&0
# Shells say "Killed" on the terminal, and in the middle of a record.
exec 2>/dev/null
mkfifo "$esk_d/i" "$esk_d/o" "$esk_d/e" "$esk_d/q" || exit 125
exec 8<>"$esk_d/q"
trap '' INT QUIT TERM PIPE
esk_rec O "$esk_d/o" P <"$esk_d/o" &
esk_a=$!
esk_b=
[ -n "$esk_merge" ] || { esk_rec E "$esk_d/e" F <"$esk_d/e" & esk_b=$!; }
esk_f=
if [ -n "$esk_stdin" ]; then
    {
        # Whatever ends this, the end of the program's input is told from its loss.
        trap '[ -n "$esk_w" ] || : >"$esk_d/cut"' 0
        exec 7>"$esk_d/i"
        esk_w=
        esk_k=0
        while [ -z "$esk_w" ] && IFS= read -r esk_l; do
            esk_k=$((esk_k + 1))
            case $esk_l in
            .) esk_w=end ;;
            p*) printf "${esk_l#p}" >&7 || esk_w=141 ;;
            b*) printf %s "${esk_l#b}" | (trap - PIPE; esk_dec >&7) || esk_w=$? ;;
            k*)
                (trap - PIPE; exec cat "$esk_d/$esk_l" >&7) || esk_w=$?
                rm -f "$esk_d/$esk_l"
                ;;
            esac 2>/dev/null
            case $esk_w in
            '') esk_say A "$esk_k" '' ;;
            # Nobody reads any more: the signal says so, and nothing else does.
            141) esk_say B "$esk_k" '' ;;
            end) ;;
            *) esk_say N 0 'its input cannot be passed on' ;;
            esac
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
        k*)
            esk_k=$((esk_k + 1))
            esk_say K "$esk_k" ''
            sed -n '/^\.$/q;p' <&3 | esk_dec >"$esk_d/k$esk_k"
            if esk_has "$esk_d/k$esk_k" "${esk_l#k}"; then
                printf 'k%s\n' "$esk_k" >&8
                esk_say L "$esk_k" ''
            else
                esk_say N 0 'its input was damaged on the way'
            fi
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
esk_i=/dev/null
[ -z "$esk_stdin" ] || esk_i=$esk_d/i
# An output does not end before a mark was put into it: all that the program wrote itself stands before that.
exec 5>"$esk_d/o"
[ -n "$esk_merge" ] || exec 6>"$esk_d/e"
esk_say G 0 "$esk_x"
trap - INT QUIT TERM PIPE
# In a shell of its own: some say "Killed" where the errors of the program go, if that is where they are themselves.
if [ -n "$esk_merge" ]; then
    (exec $esk_s /bin/sh "$esk_d/cmd" "$esk_u" <"$esk_i" >"$esk_d/o" 2>&1 3<&- 5>&- 8<&- 9<&-)
else
    (exec $esk_s /bin/sh "$esk_d/cmd" "$esk_u" <"$esk_i" >"$esk_d/o" 2>"$esk_d/e" 3<&- 5>&- 6>&- 8<&- 9<&-)
fi
esk_c=$?
trap '' HUP INT QUIT TERM PIPE
printf '\036%s\036' "$esk_n" >&5
exec 5>&-
[ -n "$esk_merge" ] || { printf '\036%s\036' "$esk_n" >&6; exec 6>&-; }
[ ! -e "$esk_d/cut" ] || esk_say N 0 'its input was cut short'
[ ! -s "$esk_d/why" ] || esk_say Q 0 "$(esk_enc <"$esk_d/why")"
esk_say W 0 "$esk_c"
wait $esk_a $esk_b
kill -s KILL $esk_r $esk_f 2>/dev/null
rm -rf "$esk_d"
