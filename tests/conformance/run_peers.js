// Starts dynalite and s3rver on free ports and runs the contract tests of the ports against them:
//   node run_peers.js NODE_MODULES TEST_PROGRAM
// Ends with 77 (ctest: skipped) where they are not installed; `npm ci --ignore-scripts` with
// tests/peers/clients/package-lock.json installs them.
'use strict';
const fs = require('fs');
const os = require('os');
const path = require('path');
const {spawn} = require('child_process');

const SKIPPED = 77;
// s3rver knows no conditional requests, neither to write nor to read.
const S3RVER_LACKS = [
  'GetHonoursIfMatch', 'PutHonoursIfNoneMatch', 'PutHonoursIfMatch', 'RemoveHonoursIfMatch',
  'OneOfManyConditionalWritersWins',
];

async function main([modules, program]) {
  if (!['dynalite', 's3rver'].every((name) => fs.existsSync(path.join(modules, name)))) {
    console.log(`skipped: dynalite and s3rver are not installed in ${modules}`);
    return SKIPPED;
  }
  const dynalite = require(path.join(modules, 'dynalite'))({createTableMs: 0});
  await new Promise((done) => dynalite.listen(0, '127.0.0.1', done));
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'imgproc-s3rver-'));
  const S3rver = require(path.join(modules, 's3rver'));
  const s3rver = new S3rver({address: '127.0.0.1', port: 0, silent: true, directory});
  const {port} = await s3rver.run();

  const child = spawn(program, {
    stdio: 'inherit',
    env: {
      AWS_ACCESS_KEY_ID: 'S3RVER',
      AWS_SECRET_ACCESS_KEY: 'S3RVER',
      IMGPROC_DYNAMODB_ENDPOINT: `http://127.0.0.1:${dynalite.address().port}`,
      IMGPROC_S3_ENDPOINT: `http://127.0.0.1:${port}`,
      IMGPROC_PEER_UNSUPPORTED: S3RVER_LACKS.join(','),
    },
  });
  const code = await new Promise((done) => child.on('exit', (status) => done(status ?? 1)));
  fs.rmSync(directory, {recursive: true, force: true});
  return code;
}

main(process.argv.slice(2)).then((code) => process.exit(code), (error) => {
  console.error(error);
  process.exit(1);
});
