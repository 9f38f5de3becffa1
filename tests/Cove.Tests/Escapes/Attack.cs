namespace Cove.Tests.Escapes;

/// <summary>What attacks written in Python share.</summary>
internal static class Attack
{
    private const string Prelude = """
        import ctypes, errno, os, signal, socket, stat, sys
        libc = ctypes.CDLL(None, use_errno=True)
        libc.syscall.restype = ctypes.c_long
        got = []
        def syscall(number, *arguments):
            ctypes.set_errno(0)
            words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
            return libc.syscall(ctypes.c_long(number), *words), ctypes.get_errno()
        def attempt(name, action):
            try:
                value = action()
            except (OSError, UnicodeError):
                return None
            got.append(f"{name}: {value!r}"[:300])
            return value
        def put(path, text):
            descriptor = os.open(path, os.O_WRONLY)
            try:
                return os.write(descriptor, text)
            finally:
                os.close(descriptor)
        def denied(name, number, *arguments, by=(errno.EPERM, errno.ENOSYS)):
            result, error = syscall(number, *arguments)
            if result == 0 and name.startswith("clone"):
                os._exit(0)
            if result != -1 or error not in by:
                got.append(f"{name}: result {result}, {os.strerror(error)}")

        """;

    /// <summary>An attack adds what it gets to <c>got</c>; the script ends by printing it, or "held".</summary>
    public static string Script(string attack) => Prelude + attack + "\nprint('\\n'.join(map(str, got)) if got else 'held')\n";

    /// <summary>A secret that no scanner's own source contains: scanners look for the pattern.</summary>
    public static string NewSecret() => "PLANT" + Guid.NewGuid().ToString("N");

    /// <summary>Puts every planted secret that can be read through /proc into <c>got</c>, the scanner's own memory included.</summary>
    public const string ScanProc = """
        import re
        pattern = re.compile(rb"PLANT[0-9a-f]{32}")
        def scan(path):
            for name in ("cmdline", "environ", "comm"):
                try:
                    with open(f"{path}/{name}", "rb") as file:
                        got.extend(f"{path}/{name} {m.decode()}" for m in pattern.findall(file.read()))
                except OSError:
                    pass
            try:
                with open(f"{path}/maps") as maps, open(f"{path}/mem", "rb", 0) as memory:
                    for line in maps:
                        span, mode = line.split()[:2]
                        low, high = (int(end, 16) for end in span.split("-"))
                        for start in range(low, high if mode[0] == "r" else low, 1 << 20):
                            try:
                                memory.seek(start)
                                data = memory.read(min(1 << 20, high - start)) or b""
                            except (OSError, ValueError, OverflowError):
                                break
                            got.extend(f"{path}/mem {m.decode()}" for m in set(pattern.findall(data)))
            except OSError:
                pass
        for name in (str(n) for n in range(1, 2000)):
            scan("/proc/" + name)
        """;
}
