#!/bin/sh
# publish-bundles.sh FROM TO: bring promoted bundles to where the service reads them. Bundles first, each whole or not at all;
# the link `current` of an outcome last, by one rename. A service that looks meanwhile sees the old model or the new one.
set -eu
from=$1 to=$2
for outcome in "$from"/*/; do
  name=$(basename "$outcome")
  mkdir -p "$to/$name"
  for bundle in "$outcome"*/; do
    one=$(basename "$bundle")
    if [ -L "${bundle%/}" ] || [ -e "$to/$name/$one" ]; then continue; fi
    rm -rf "$to/$name/.coming"
    cp -R "$bundle" "$to/$name/.coming"
    mv -T "$to/$name/.coming" "$to/$name/$one"
  done
  [ -L "$outcome/current" ] || continue
  cp -P "$outcome/current" "$to/$name/.current"
  mv -T "$to/$name/.current" "$to/$name/current"
  echo "$name: $(readlink "$to/$name/current")"
done
