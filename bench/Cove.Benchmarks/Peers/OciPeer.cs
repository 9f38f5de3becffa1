using System.Text;
using System.Text.Json;

namespace Cove.Benchmarks.Peers;

/// <summary>An OCI runtime (crun, runc): a bundle with the host's /usr read-only, no network, no capabilities, limits of memory and processes.</summary>
internal sealed class OciPeer(string runtime, string workDirectory) : Peer(runtime)
{
    private static readonly string[] _namespaces = ["pid", "network", "ipc", "uts", "mount", "cgroup"];

    private readonly string _bundle = Path.Combine(workDirectory, runtime);
    private string _code = "";
    private int _number;
    private bool _coverUnified;

    public override async Task<string?> PrepareAsync(CancellationToken cancellationToken)
    {
        foreach (var directory in (string[])["usr", "etc/alternatives", "etc/fonts", "proc", "dev", "tmp", "cache"])
        {
            Directory.CreateDirectory(Path.Combine(_bundle, "rootfs", directory));
        }

        foreach (var name in (string[])["bin", "lib", "lib64"])
        {
            var link = Path.Combine(_bundle, "rootfs", name);
            if (!Path.Exists(link))
            {
                File.CreateSymbolicLink(link, "usr/" + name);
            }
        }

        MakeCache(workDirectory);
        if (File.Exists("/etc/matplotlibrc"))
        {
            File.Copy("/etc/matplotlibrc", Path.Combine(_bundle, "rootfs/etc/matplotlibrc"), overwrite: true);
        }

        var reason = await TryAsync(cancellationToken);
        if (reason is not null && Directory.Exists("/sys/fs/cgroup/unified"))
        {
            // crun refuses hosts that mount both versions of control groups; a private mount namespace without the second one satisfies it.
            _coverUnified = true;
            reason = await TryAsync(cancellationToken) is null ? null : reason;
        }

        return reason;
    }

    protected override IReadOnlyList<string> Arguments(string code)
    {
        if (code != _code)
        {
            _code = code;
            File.WriteAllBytes(Path.Combine(_bundle, "config.json"), Configuration(code));
        }

        string[] run = [Name, "run", "--bundle", _bundle, $"cove-bench-{Environment.ProcessId}-{++_number}"];
        return _coverUnified ? ["unshare", "--mount", "sh", "-c", "umount \"$0\" && exec \"$@\"", "/sys/fs/cgroup/unified", .. run] : run;
    }

    private byte[] Configuration(string code)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("ociVersion", "1.0.2");
            json.WriteString("hostname", "bench");
            json.WriteStartObject("root");
            json.WriteString("path", "rootfs");
            json.WriteBoolean("readonly", true);
            json.WriteEndObject();
            WriteProcess(json, code);
            WriteMounts(json);
            WriteLinux(json);
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static void WriteProcess(Utf8JsonWriter json, string code)
    {
        json.WriteStartObject("process");
        json.WriteBoolean("terminal", false);
        json.WriteBoolean("noNewPrivileges", true);
        json.WriteString("cwd", "/tmp");
        json.WriteStartObject("user");
        json.WriteNumber("uid", 1000);
        json.WriteNumber("gid", 1000);
        json.WriteEndObject();
        Strings(json, "args", "/usr/bin/python3", "-c", code);
        Strings(json, "env", "PATH=/usr/bin:/bin", "HOME=/tmp", "MPLCONFIGDIR=/cache", "OPENBLAS_NUM_THREADS=1");
        json.WriteEndObject();
    }

    private void WriteMounts(Utf8JsonWriter json)
    {
        json.WriteStartArray("mounts");
        Mount(json, "/proc", "proc", "proc", "nosuid", "noexec", "nodev");
        Mount(json, "/dev", "tmpfs", "tmpfs", "nosuid", "mode=755", "size=64k");
        Mount(json, "/tmp", "tmpfs", "tmpfs", "nosuid", "nodev", "mode=1777", "size=64m");
        Mount(json, "/usr", "bind", "/usr", "bind", "ro", "nosuid", "nodev");
        Mount(json, "/etc/alternatives", "bind", "/etc/alternatives", "bind", "ro");
        if (Directory.Exists("/etc/fonts"))
        {
            Mount(json, "/etc/fonts", "bind", "/etc/fonts", "bind", "ro");
        }

        Mount(json, "/cache", "bind", Path.Combine(workDirectory, "cache"), "bind", "rw");
        json.WriteEndArray();
    }

    private static void WriteLinux(Utf8JsonWriter json)
    {
        json.WriteStartObject("linux");
        json.WriteStartArray("namespaces");
        foreach (var name in _namespaces)
        {
            json.WriteStartObject();
            json.WriteString("type", name);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartObject("resources");
        json.WriteStartObject("memory");
        json.WriteNumber("limit", 1L << 30);
        json.WriteEndObject();
        json.WriteStartObject("pids");
        json.WriteNumber("limit", 128);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Mount(Utf8JsonWriter json, string destination, string type, string source, params string[] options)
    {
        json.WriteStartObject();
        json.WriteString("destination", destination);
        json.WriteString("type", type);
        json.WriteString("source", source);
        Strings(json, "options", options);
        json.WriteEndObject();
    }

    private static void Strings(Utf8JsonWriter json, string name, params string[] values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteStringValue(Encoding.UTF8.GetBytes(value));
        }

        json.WriteEndArray();
    }
}
