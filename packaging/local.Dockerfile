<<<<<<< HEAD
# `imgproc local` in a container. It has to listen beyond the loopback address there, so it checks
# signatures: the key that it is started with is the one that clients must use.
=======
# `imgproc local` in a container. In there it listens on every address, so it asks for signatures:
# the key is the caller's choice.
>>>>>>> d9f6d86 (Say what the package weighs and why; let the container of the local cloud start)
#   docker build -f packaging/local.Dockerfile -t imgproc-local .
#   docker run -p 127.0.0.1:4566:4566 -v imgproc-data:/data \
#     -e IMGPROC_ACCESS_KEY_ID=me -e IMGPROC_SECRET_ACCESS_KEY=secret imgproc-local
FROM debian:bookworm AS build
COPY . /src
WORKDIR /src
RUN ./dev build

FROM debian:bookworm-slim
COPY --from=build /src/build/release/bin /opt/imgproc
RUN install -d -o nobody -g nogroup /data
USER nobody
VOLUME /data
EXPOSE 4566
ENTRYPOINT ["/opt/imgproc/imgproc", "local", "--host", "0.0.0.0", "--strict-auth", "--data", "/data"]
