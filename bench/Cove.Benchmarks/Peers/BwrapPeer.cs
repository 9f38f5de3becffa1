namespace Cove.Benchmarks.Peers;

/// <summary>bubblewrap: all namespaces, no capabilities, the host's /usr read-only; no limits, no filter, nothing preloaded.</summary>
internal sealed class BwrapPeer(string workDirectory) : Peer("bwrap")
{
    public override Task<string?> PrepareAsync(CancellationToken cancellationToken)
    {
        MakeCache(workDirectory);
        return TryAsync(cancellationToken);
    }

    protected override IReadOnlyList<string> Arguments(string code) =>
    [
        "bwrap", "--unshare-all", "--die-with-parent", "--cap-drop", "ALL", "--clearenv", "--setenv", "HOME", "/tmp", "--setenv", "MPLCONFIGDIR", "/cache",
        "--setenv", "OPENBLAS_NUM_THREADS", "1", "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
        "--ro-bind-try", "/etc/alternatives", "/etc/alternatives", "--ro-bind-try", "/etc/fonts", "/etc/fonts", "--ro-bind-try", "/etc/matplotlibrc", "/etc/matplotlibrc",
        "--bind", Path.Combine(workDirectory, "cache"), "/cache", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--chdir", "/tmp",
        "/usr/bin/python3", "-c", code,
    ];
}
