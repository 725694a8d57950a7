#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# packages.sh [SUITE]: builds the Debian packages and uses them in a fresh chroot of SUITE (bookworm), where
# nothing but apt installs anything: the program, the Python package and the development files each answer,
# and what is purged leaves nothing behind. Needs root, debootstrap and Debian's mirror (MIRROR).
set -eu
cd "$(dirname "$0")/../.."
suite=${1:-bookworm}
if [ "$(id -u)" -ne 0 ] || ! command -v debootstrap >/dev/null; then
  echo "packages.sh needs root and debootstrap" >&2
  exit 1
fi
rm -rf build/packages/debian/*.deb
cmake --workflow --preset packages
if command -v lintian >/dev/null; then
  lintian --allow-root --fail-on error build/packages/debian/*.deb
fi

root=$(mktemp -d)
chmod 755 "$root"
trap 'rm -rf --one-file-system "$root"' EXIT
debootstrap --variant=minbase "$suite" "$root" "${MIRROR:-http://deb.debian.org/debian}" >"$root.log" ||
  { tail "$root.log" >&2; exit 1; }
rm "$root.log"
mkdir -p "$root/debs" "$root/src/examples/models" "$root/src/tests"
for deb in build/packages/debian/*.deb; do
  name=${deb##*/}
  cp "$deb" "$root/debs/${name%%_*}.deb"
done
cp -r examples/c examples/cpp examples/python "$root/src/examples"
cp -r examples/models/vitalis-tiny "$root/src/examples/models"
cp -r tests/consumer "$root/src/tests"

inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"; }
install() {
  inside DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$root/apt.log" 2>&1 ||
    { cat "$root/apt.log" >&2; exit 1; }
}
ask() { inside sh /src/tests/consumer/ask.sh /src "$@"; }
say() { echo "packages.sh: $*"; }

find_vitalis() { find "$root/usr" "$root/etc" "$root/var/lib/dpkg/info" -name '*vitalis*'; }

inside apt-get update -qq
# One after the other, each by what it depends on.
install /debs/libvitalis1.deb /debs/vitalis.deb
ask vitalis run --temperature 0
inside vitalis --version
say "the program answers"

install /debs/python3-vitalis.deb
ask python3 /src/examples/python/chat.py
inside python3 -c 'import vitalis; print(vitalis.__file__)'
say "Python answers"

install /debs/libvitalis-dev.deb g++ pkg-config cmake make
libdir=$(inside dpkg -L libvitalis-dev | sed -n 's|^/usr/\(lib.*\)/pkgconfig/vitalis.pc$|\1|p')
inside CC=gcc CXX=g++ sh /src/tests/consumer/pkg_config.sh /usr /tmp /src "$libdir"
say "C and C++ answer, by pkg-config"
inside sh /src/tests/consumer/cmake.sh /usr /tmp /src "$libdir" >/dev/null
say "C and C++ answer, by find_package"

inside apt-get purge -y -qq libvitalis1 libvitalis-dev vitalis python3-vitalis >/dev/null 2>&1
left=$(find_vitalis)
if [ -n "$left" ]; then
  say "left behind: $left" >&2
  exit 1
fi
say "purged without a trace"
