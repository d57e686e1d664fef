#!/bin/sh
# Installs Debian's chromium for the browser tests where there is none; without it they skip.
set -eu
if command -v chromium >/dev/null 2>&1; then exit 0; fi
if ! command -v apt-get >/dev/null 2>&1; then
  echo "no chromium and no apt-get: the browser tests will skip" >&2
  exit 0
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
  if ! sudo -n true 2>/dev/null; then
    echo "no chromium and no right to install it: the browser tests will skip" >&2
    exit 0
  fi
  as_root="sudo -n"
fi
$as_root apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
