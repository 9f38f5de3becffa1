"""IPython.display's small value classes: HTML, Markdown, Image and friends."""
from .own import BUILTINS as __builtins__

import binascii
import html
import json
import os


class DisplayObject:
    _read_mode = "r"

    def __init__(self, data=None, url=None, filename=None, metadata=None):
        if isinstance(data, os.PathLike):
            data, filename = None, os.fspath(data)
        elif filename is None and isinstance(data, str) and len(data) < 4096 and self._names_file(data):
            data, filename = None, data
        if filename is not None and data is None:
            with open(filename, self._read_mode, **({} if "b" in self._read_mode else {"encoding": "utf-8"})) as file:
                data = file.read()
        self.data, self.url, self.filename, self.metadata = data, url, filename, metadata or {}

    def _names_file(self, text):
        return False

    def __repr__(self):
        return "<IPython.core.display.%s object>" % type(self).__name__


class HTML(DisplayObject):
    def _repr_html_(self):
        return self.data

    def __html__(self):
        return self.data


class Markdown(DisplayObject):
    def _repr_markdown_(self):
        return self.data


class Latex(DisplayObject):
    def _repr_latex_(self):
        return self.data


class Math(DisplayObject):
    def _repr_latex_(self):
        return "$\\displaystyle %s$" % str(self.data).strip("$")


class Pretty(DisplayObject):
    def __repr__(self):
        return str(self.data)


class Javascript(DisplayObject):
    def _repr_javascript_(self):
        return self.data


class SVG(DisplayObject):
    def _names_file(self, text):
        return text.endswith(".svg") and os.path.isfile(text)

    def _repr_svg_(self):
        return self.data


class JSON(DisplayObject):
    def _repr_json_(self):
        return json.loads(self.data) if isinstance(self.data, str) else self.data


class GeoJSON(JSON):
    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"application/geo+json": self.data}


class Image(DisplayObject):
    _read_mode = "rb"
    _SIGNATURES = ((b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"), (b"GIF8", "image/gif"))

    def __init__(self, data=None, url=None, filename=None, format=None, embed=None, width=None, height=None,
                 retina=False, metadata=None, alt=None):
        super().__init__(data, url, filename, metadata)
        self.width, self.height, self.alt = width, height, alt
        self.format = format

    def _names_file(self, text):
        return os.path.isfile(text)

    def _repr_mimebundle_(self, include=None, exclude=None):
        if self.data is None or isinstance(self.data, str):
            source = html.escape(self.url or self.data or "", quote=True)
            return {"text/html": '<img src="%s"%s/>' % (source, self._size())}
        data = bytes(self.data)
        mime = next((mime for start, mime in self._SIGNATURES if data.startswith(start)), None)
        if mime is None:
            mime = "image/webp" if data[8:12] == b"WEBP" else "image/" + (self.format or "png").replace("jpg", "jpeg")
        size = {key: value for key, value in (("width", self.width), ("height", self.height)) if value}
        return {mime: data}, {mime: size} if size else {}

    def _size(self):
        return "".join(' %s="%s"' % pair for pair in (("width", self.width), ("height", self.height)) if pair[1])


class Audio(DisplayObject):
    """Plays bytes, a file or an address. Samples (lists, arrays) must be written to a WAV file first."""
    _read_mode = "rb"
    _tag, _type = "audio", "audio/wav"

    def __init__(self, data=None, filename=None, url=None, rate=None, autoplay=False, **kwargs):
        if data is not None and not isinstance(data, (str, bytes, os.PathLike)):
            raise TypeError("Audio takes bytes, a file name or a url here; write samples to a WAV file first.")
        super().__init__(data, url, filename)
        self.autoplay = autoplay

    def _names_file(self, text):
        return os.path.isfile(text)

    def _repr_html_(self):
        source = self.url
        if self.data is not None and not isinstance(self.data, str):
            source = "data:%s;base64,%s" % (self._type, binascii.b2a_base64(self.data, newline=False).decode("ascii"))
        return "<%s controls%s src=\"%s\"></%s>" % (
            self._tag, " autoplay" if self.autoplay else "", html.escape(source or self.data or "", quote=True), self._tag)


class Video(Audio):
    _tag, _type = "video", "video/mp4"


class IFrame:
    def __init__(self, src, width="100%", height=300, **kwargs):
        self.src, self.width, self.height = src, width, height

    def _repr_html_(self):
        return '<iframe width="%s" height="%s" src="%s"></iframe>' % (
            self.width, self.height, html.escape(self.src, quote=True))


class FileLink:
    def __init__(self, path, **kwargs):
        self.path = path

    def __repr__(self):
        return os.path.abspath(self.path)


PUBLIC = {kind.__name__: kind for kind in (
    DisplayObject, HTML, Markdown, Latex, Math, Pretty, Javascript, SVG, JSON, GeoJSON, Image, Audio, Video, IFrame,
    FileLink)}
for _kind in PUBLIC.values():
    # own.relabel finds the kernel's code by module name; guest code sees IPython's.
    _kind._kernel_module, _kind.__module__ = __name__, "IPython.core.display"
