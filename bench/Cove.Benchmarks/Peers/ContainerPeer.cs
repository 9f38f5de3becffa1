namespace Cove.Benchmarks.Peers;

/// <summary>docker or podman, when a daemon (or podman itself) answers: a container of an image that is already there, the host's /usr in it read-only.</summary>
internal sealed class ContainerPeer(string program, string workDirectory) : Peer(program)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);
    private string _image = "";

    public override async Task<string?> PrepareAsync(CancellationToken cancellationToken)
    {
        MakeCache(workDirectory);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(_patience);
        try
        {
            var (code, images, error) = await StartAsync([Name, "images", "--quiet"], timeout.Token);
            if (code != 0)
            {
                return error.Split('\n')[0];
            }

            _image = images.Split('\n')[0];
            return _image.Length == 0 ? "it has no image, and a benchmark fetches none" : await TryAsync(timeout.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"no answer within {_patience.TotalSeconds:0} s";
        }
    }

    protected override IReadOnlyList<string> Arguments(string code) =>
    [
        Name, "run", "--rm", "--network", "none", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only", "--tmpfs", "/tmp", "--memory", "1g", "--pids-limit", "128",
        "--env", "HOME=/tmp", "--env", "MPLCONFIGDIR=/cache", "--env", "OPENBLAS_NUM_THREADS=1",
        "--volume", "/usr:/usr:ro", "--volume", "/etc/alternatives:/etc/alternatives:ro", "--volume", "/etc/matplotlibrc:/etc/matplotlibrc:ro",
        "--volume", Path.Combine(workDirectory, "cache") + ":/cache",
        "--entrypoint", "/usr/bin/python3", _image, "-c", code,
    ];
}
