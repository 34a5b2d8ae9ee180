// The usual fast recipe: sharp and AWS SDK v3 behind Lambda's Runtime API.
//
// MODE=usual has one pipeline for each size, each with sharp's own shrink-on-load; MODE=careful
// decodes once, to the largest size, and makes every rendition from that.
import http from 'node:http';
import sharp from 'sharp';
import {S3Client, GetObjectCommand, PutObjectCommand} from '@aws-sdk/client-s3';
import {DynamoDBClient, PutItemCommand} from '@aws-sdk/client-dynamodb';

const {AWS_LAMBDA_RUNTIME_API, DESTINATION_BUCKET, TABLE_NAME, MODE} = process.env;
const sizes = process.env.SIZES.split(',').map(Number);
const [host, port] = AWS_LAMBDA_RUNTIME_API.split(':');
const runtime = new http.Agent({keepAlive: true});

// One vCPU, and no input is seen twice.
sharp.concurrency(1);
sharp.cache(false);
const s3 = new S3Client({forcePathStyle: true});
const dynamodb = new DynamoDBClient({});

function callRuntime(method, path, body) {
  return new Promise((done, fail) => {
    const options = {host, port, method, path: `/2018-06-01/runtime/${path}`, agent: runtime};
    http.request(options, async (response) => {
      const parts = [];
      for await (const part of response) parts.push(part);
      done({headers: response.headers, text: Buffer.concat(parts).toString()});
    }).on('error', fail).end(body);
  });
}

const fitting = (size) => ({width: size, height: size, fit: 'inside', withoutEnlargement: true});
const toJpeg = (image) => image.jpeg({quality: 80}).toBuffer({resolveWithObject: true});

async function render(body) {
  if (MODE !== 'careful')
    return Promise.all(sizes.map((size) =>
      toJpeg(sharp(body).autoOrient().resize(fitting(size)))));
  const base = await sharp(body).autoOrient().resize(fitting(Math.max(...sizes)))
    .raw().toBuffer({resolveWithObject: true});
  const {width, height, channels} = base.info;
  return Promise.all(sizes.map((size) =>
    toJpeg(sharp(base.data, {raw: {width, height, channels}}).resize(fitting(size)))));
}

async function processObject(bucket, key) {
  const object = await s3.send(new GetObjectCommand({Bucket: bucket, Key: key}));
  const body = Buffer.from(await object.Body.transformToByteArray());
  const [{width, height, format}, made] = await Promise.all([sharp(body).metadata(), render(body)]);
  const renditions = {};
  await Promise.all(made.map(async ({data, info}, i) => {
    const target = `${key}/w${sizes[i]}.jpg`;
    await s3.send(new PutObjectCommand({
      Bucket: DESTINATION_BUCKET, Key: target, Body: data, ContentType: 'image/jpeg'}));
    renditions[`w${sizes[i]}`] = {M: {
      key: {S: target}, width: {N: `${info.width}`}, height: {N: `${info.height}`},
      size: {N: `${data.length}`}}};
  }));
  await dynamodb.send(new PutItemCommand({TableName: TABLE_NAME, Item: {
    path: {S: `${bucket}/${key}`}, size: {N: `${body.length}`}, status: {S: 'READY'},
    timestamp: {S: new Date().toISOString()}, format: {S: format},
    width: {N: `${width}`}, height: {N: `${height}`}, renditions: {M: renditions}}}));
}

async function main() {
  for (;;) {
    const next = await callRuntime('GET', 'invocation/next');
    const id = next.headers['lambda-runtime-aws-request-id'];
    try {
      for (const {s3: {bucket, object}} of JSON.parse(next.text).Records)
        await processObject(bucket.name, decodeURIComponent(object.key.replace(/\+/g, ' ')));
      await callRuntime('POST', `invocation/${id}/response`, '{}');
    } catch (error) {
      const report = {errorMessage: error.message, errorType: error.name};
      await callRuntime('POST', `invocation/${id}/error`, JSON.stringify(report));
    }
  }
}
main();
