# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2086 # lists of words, for the scripts that source this
# The Debian packages that the scripts need, and how they are installed. To be sourced by sh.

# What a release and the program need.
build_packages="g++ cmake ninja-build pkg-config libeigen3-dev libtbb-dev libsimdjson-dev libcurl4-openssl-dev libssl-dev libcli11-dev libedit-dev libtomlplusplus-dev"
# What the tests need besides.
test_packages="libgtest-dev libbenchmark-dev libcpp-httplib-dev make python3 python3-jsonschema python3-venv npm ca-certificates abigail-tools doxygen dpkg-dev file"

# The command that a package is wanted for: where it is there from elsewhere, nothing is installed.
command_of() {
  case $1 in
    g++ | cmake | make | pkg-config | python3 | npm) echo "$1" ;;
    ninja-build) echo ninja ;;
  esac
}

is_installed() {
  command=$(command_of "$1")
  if [ -n "$command" ]; then
    command -v "$command" >/dev/null 2>&1
  else
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
  fi
}

# install_missing PACKAGES… installs those that are missing, as root or by sudo. Without apt-get it does
# nothing: then it is for the build to say what it lacks.
install_missing() {
  command -v apt-get >/dev/null 2>&1 || return 0
  missing=
  for package in "$@"; do
    is_installed "$package" || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  as_root=
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
      echo "needs root or sudo to install:$missing" >&2
      return 1
    fi
    as_root=sudo
  fi
  echo "Installing$missing" >&2
  $as_root apt-get update -qq &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
}
