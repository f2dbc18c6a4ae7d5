#!/bin/sh
# Seed corpora for the weights readers' fuzz targets, from the reference data: checkpoint_seeds.sh SHARED_DATA OUT
# makes OUT/fuzz_pickle, OUT/fuzz_zip_checkpoint ...; files over 64 KB are left out. Needs unzip.
set -eu
data=$1 out=$2
for target in pickle zip_checkpoint legacy_checkpoint tar_checkpoint safetensors; do mkdir -p "$out/fuzz_$target"; done

# copy TARGET FILE...: under names that tell where they came from.
copy() {
  to=$out/fuzz_$1
  shift
  for file in "$@"; do
    [ "$(wc -c <"$file")" -le 65536 ] && cp "$file" "$to/$(echo "${file#"$data"/}" | tr / _)"
  done
  return 0
}

copy pickle "$data"/pickles/bare/*
copy zip_checkpoint "$data"/tensors/zip/* "$data"/pickles/zip/ok_* "$data"/weights/broken/*
copy legacy_checkpoint "$data"/tensors/legacy/* "$data"/weights/broken/legacy_*
copy tar_checkpoint "$data"/tensors/tar/*
copy safetensors "$data"/tensors/safetensors/*
for file in "$data"/tensors/zip/* "$data"/pickles/zip/ok_*; do
  unzip -p "$file" '*/data.pkl' >"$out/fuzz_pickle/inner_$(basename "$file")" 2>/dev/null || true
done
