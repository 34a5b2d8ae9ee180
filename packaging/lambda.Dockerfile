# The Lambda function as a container image, from the package that ./dev package made.
#   docker build -f packaging/lambda.Dockerfile -t imgproc-lambda .
#   docker build -f packaging/lambda.Dockerfile -t imgproc-lambda \
#     --platform linux/arm64 --build-arg ARCH=arm64 .
FROM --platform=$BUILDPLATFORM debian:bookworm-slim AS unpack
RUN apt-get update && apt-get install -y --no-install-recommends unzip
ARG ARCH=x86_64
COPY dist/imgproc-lambda-${ARCH}.zip /package.zip
RUN unzip -q /package.zip -d /task

# Of this image only the certificates of the public authorities are used.
FROM public.ecr.aws/lambda/provided:al2023
COPY --from=unpack /task /var/task
ENTRYPOINT ["/var/task/bootstrap"]
# The handler.
CMD ["bootstrap"]
