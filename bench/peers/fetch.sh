#!/usr/bin/env bash
# Makes the sharp function in build/bench/sharp: the SDK bundled into index.cjs, as its users deploy
# it, and node_modules with sharp alone. Run from the tree's root.
set -euo pipefail
rm -rf build/bench/sharp
mkdir -p build/bench/sharp
for file in package.json package-lock.json .npmrc index.mjs; do
  cp "bench/peers/sharp/$file" build/bench/sharp/
done
cd build/bench/sharp
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
npm run --silent bundle
npm prune --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error
