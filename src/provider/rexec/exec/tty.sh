trap : HUP INT QUIT
trap '' TSTP
stty sane 2>/dev/null
printf '\036%sG 0 %s %s.' "$esk_n" "${#esk_x}" "$esk_x"
/bin/sh "$esk_d/cmd" "$esk_u" 9<&-
esk_c=$?
esk_w=
[ ! -s "$esk_d/why" ] || read esk_w <"$esk_d/why"
rm -rf "$esk_d"
printf '\036%sX 0 %s %s.\n' "$esk_n" "$((${#esk_c} + 1 + ${#esk_w}))" "$esk_c $esk_w"
