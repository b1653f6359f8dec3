#!/usr/bin/env bash
# Builds layer/python, which Lambda unpacks as /opt/python: a CPython that brings all it needs, with mcp-server-time in it.
#
# usage: ./layer.sh [INTERPRETER_FOLDER]
#
# Needs uv (https://docs.astral.sh/uv), which downloads a relocatable CPython for arm64 from python-build-standalone;
# INTERPRETER_FOLDER is one that is there already (bin/python3.x, lib/python3.x). PYTHON_VERSION and PYTHON_PLATFORM choose
# another. Lambda's Amazon Linux 2023 has glibc 2.34: wheels for manylinux_2_28 run there.
set -euo pipefail
cd "$(dirname "$0")"

version=${PYTHON_VERSION:-3.13}
platform=${PYTHON_PLATFORM:-aarch64-manylinux_2_28}
layer=${LAYER_FOLDER:-layer}
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: of the function and its layers, unzipped.
limit_mb=250

rm -rf "$layer"
mkdir -p "$layer/python/bin" "$layer/python/lib"

if [ $# -eq 0 ]; then
	downloads=$(mktemp -d)
	trap 'rm -rf "$downloads"' EXIT
	uv python install --no-bin --install-dir "$downloads" "cpython-$version-linux-${platform%%-*}-gnu"
	set -- "$downloads/cpython-$version"*
fi

# One real file: links would become copies in the zip.
cp -L "$1/bin/python$version" "$layer/python/bin/python3"
cp -R "$1/lib/python$version" "$layer/python/lib/"
find "$1/lib" -maxdepth 1 -name 'libpython*.so*' -type f -exec cp {} "$layer/python/lib/" ';'

library="$layer/python/lib/python$version"
rm -rf "$library"/{site-packages,test,idlelib,tkinter,turtledemo,ensurepip,lib2to3,pydoc_data,config-*}
find "$layer" -name __pycache__ -prune -exec rm -rf {} +

uv pip install --quiet --target "$library/site-packages" --python-version "$version" --python-platform "$platform" \
	--only-binary :all: --require-hashes -r requirements.txt

# The function's disk is read-only, and a zip changes the dates by which Python would know that a .pyc is current.
uv run --quiet --no-project --python "$version" python -m compileall -q --invalidation-mode unchecked-hash "$library"

size_mb=$(du -sm "$layer" | cut -f1)
echo "$layer: $size_mb MB of $limit_mb MB"
[ "$size_mb" -lt "$limit_mb" ]
