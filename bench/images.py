"""The pictures that the benchmark works on, made once and kept.

All come from one picture: a photo that --photo names, else a seeded one that has what photos have,
detail at every scale and colour that changes more slowly than brightness.
"""
import json
import pathlib
import random
import subprocess

from PIL import Image, ImageOps

Image.MAX_IMAGE_PIXELS = None

SEED = 20260101
FULL = (4160, 3120)  # 13 MP
TWO_MP = (1632, 1224)
SMALL = (320, 240)
HUGE = (10240, 9766)  # 100 MP
# Of each octave's noise, so much replaces what the coarser ones have drawn.
DETAIL_FIRST, DETAIL_DECAY = 0.5, 0.72

# Class, its size, how it is written.
CLASSES = {
    "jpeg": (FULL, "jpg", {"quality": 90}),
    "jpeg-progressive": (FULL, "jpg", {"quality": 90, "progressive": True}),
    "jpeg-2mp": (TWO_MP, "jpg", {"quality": 90}),
    "png": (TWO_MP, "png", {}),
    "webp": (TWO_MP, "webp", {"quality": 85}),
    "avif": (TWO_MP, "avif", {}),
    "jpeg-100mp": (HUGE, "jpg", {"quality": 85}),
}


def _noise(rng, size, finest):
    """Grey noise with detail from a few blobs down to `finest` times the pixels' size."""
    width, height = size
    step = 1 << 9
    image, share = None, DETAIL_FIRST
    while step >= finest:
        octave_size = (max(2, width // step), max(2, height // step))
        octave = Image.frombytes("L", octave_size, rng.randbytes(octave_size[0] * octave_size[1]))
        if image is None:
            image = octave
        else:
            image = Image.blend(image.resize(octave_size, Image.Resampling.BICUBIC), octave, share)
            share *= DETAIL_DECAY
        step //= 2
    return image.resize(size, Image.Resampling.BICUBIC)


def synthetic(size, seed=SEED):
    rng = random.Random(seed)
    channels = [_noise(rng, size, finest) for finest in (1, 16, 16)]
    return Image.merge("YCbCr", channels).convert("RGB")


class Images:
    """path("jpeg") is a file; it is made when it is asked for first."""

    def __init__(self, folder, imgproc, photo=None):
        self.folder, self.imgproc = pathlib.Path(folder), imgproc
        self.photo = pathlib.Path(photo) if photo else None
        self.folder.mkdir(parents=True, exist_ok=True)
        self._picture = None

    @property
    def origin(self):
        return f"made of {self.photo.name}" if self.photo else f"synthetic, seed {SEED}"

    def path(self, name):
        size, extension, options = CLASSES[name]
        return self.of_size(name, size, extension, options)

    def small(self):
        return self.of_size("small", SMALL, "jpg", {"quality": 85})

    def of_size(self, name, size, extension="jpg", options=None):
        origin = self.photo.stem if self.photo else f"seed{SEED}"
        path = self.folder / f"{name}-{size[0]}x{size[1]}-{origin}.{extension}"
        if path.exists():
            return path
        picture = ImageOps.fit(self._full(), size, Image.Resampling.LANCZOS)
        made = path.with_suffix(f".making.{extension}")
        if extension == "avif":
            self._write_avif(picture, made)
        else:
            picture.save(made, **(options or {"quality": 90}))
        made.rename(path)
        return path

    def _full(self):
        if self._picture is None:
            if self.photo:
                self._picture = ImageOps.exif_transpose(Image.open(self.photo)).convert("RGB")
            else:
                self._picture = synthetic(FULL)
        return self._picture

    def _write_avif(self, picture, path):
        """Pillow before 11.3 cannot write AVIF; the program that is measured can."""
        png = path.with_suffix(".png")
        picture.save(png, compress_level=1)
        config = path.with_suffix(".json")
        config.write_text(json.dumps({"recipes": [{"renditions": {"all": {
            "width": picture.width, "format": "avif", "quality": 60, "effort": 2}}}]}))
        folder = path.with_suffix(".out")
        subprocess.run([self.imgproc, "process", png, "--config", config, "--out", folder],
                       check=True, stdout=subprocess.DEVNULL)
        next(folder.rglob("*.avif")).rename(path)
        png.unlink()
        config.unlink()
