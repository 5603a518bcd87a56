esk_r=$HOME/.esker-runs/$esk_id
if [ ! -e "$esk_r/began" ]; then
    esk_c='there is no such run'
    rm -rf "$esk_d"
    esk_say N 0 "$esk_c"
    exit 0
fi
rm -rf "$esk_d"
esk_part() { tail -c "+$(($2 + 1))" "$esk_r/$1" 2>/dev/null | head -c 4194304; }
esk_alive() { kill -0 -- "-$(cat "$esk_r/pid")" || kill -0 "$(cat "$esk_r/keeper")"; }
esk_say G 0 ''
while IFS= read -r esk_l; do
    set -- $esk_l
    case $1 in
    f)
        esk_e=
        if [ -e "$esk_r/exit" ]; then
            read -r esk_e <"$esk_r/exit"
        elif ! esk_alive 2>/dev/null; then
            sleep 1
            if [ -e "$esk_r/exit" ]; then read -r esk_e <"$esk_r/exit"; else esk_e=lost; fi
        fi
        # Asked for before the files are read: what is read then is at least as much.
        [ -z "$esk_e" ] || esk_say S 0 "$(wc -c <"$esk_r/o") $(wc -c <"$esk_r/e")"
        esk_part o "$2" | esk_rec O ''
        esk_part e "$3" | esk_rec E ''
        esk_say D 0 "$esk_e"
        ;;
    s) read -r esk_g <"$esk_r/pid" && { kill -s "$2" -- "-$esk_g" || kill -s "$2" "$esk_g"; } 2>/dev/null ;;
    *) break ;;
    esac
done
