# Downloads $1 to $target; an archive holds a file of that name. A query or fragment after the
# extension does not count.
url="$1"
path="${url%%[?#]*}"
part="$target.part"
unpacked="$HOME/.tmp/unpacked"

download() {
	echo "Downloading $url"
	rm -f "$part"
	wget -O "$part" "$url"
}

case "$path" in
*.json.gz | *.json | *.tar.gz | *.tar.gzip | *.tar | *.zip) ;;
*)
	echo "$url: the file's type is not known; known are .json, .json.gz, .tar, .tar.gz, .tar.gzip and .zip" >&2
	exit 1
	;;
esac

download
rm -f "$target"
case "$path" in
*.json.gz)
	gunzip -c <"$part" >"$part.json"
	mv "$part.json" "$target"
	;;
*.json) mv "$part" "$target" ;;
*.tar.gz | *.tar.gzip) tar -xzf "$part" -C "$CONFIG_DIR" ;;
*.tar) tar -xf "$part" -C "$CONFIG_DIR" ;;
*.zip)
	rm -rf "$unpacked"
	mkdir -p "$unpacked"
	unzip -q -o "$part" -d "$unpacked"
	mv "$unpacked/${target##*/}" "$target"
	rm -rf "$unpacked"
	;;
esac
rm -f "$part"

if [ ! -f "$target" ]; then
	echo "$url: the archive holds no ${target##*/}" >&2
	exit 1
fi
echo "Wrote $target"
