#!/usr/bin/env bash
# Unpacks the AWS CLI v2 of package-lock.json into build/peers/awscli, and installs foreign S3 and
# DynamoDB servers into build/peers/clients; run from the tree's root.
set -euo pipefail
mkdir -p build/peers
cp tests/peers/package.json tests/peers/package-lock.json tests/peers/.npmrc build/peers/
cd build/peers
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
rm -rf awscli
unzip -q -o node_modules/@aws-cdk/asset-awscli-v2/lib/layer.zip
rm -rf node_modules
# Its own link is absolute, to where an installer would put it.
ln -sfn "$(basename awscli/v2/[0-9]*)" awscli/v2/current
awscli/v2/current/dist/aws --version
# The foreign servers that our own clients are tried against.
cd ../..
mkdir -p build/peers/clients
for file in package.json package-lock.json .npmrc; do
  cp "tests/peers/clients/$file" build/peers/clients/
done
cd build/peers/clients
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
