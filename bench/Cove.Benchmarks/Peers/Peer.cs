using System.ComponentModel;
using System.Diagnostics;

namespace Cove.Benchmarks.Peers;

/// <summary>Another way to run code apart from the host, measured from the command's start to its end.</summary>
internal abstract class Peer(string name)
{
    public string Name { get; } = name;

    /// <summary>Prepares it; null when it can be measured, the reason when not.</summary>
    public abstract Task<string?> PrepareAsync(CancellationToken cancellationToken);

    /// <summary>Runs Python code once in a fresh boundary.</summary>
    public async Task<TimeSpan> RunAsync(string code, TimeProvider time, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var said = await StartAsync(Arguments(code), cancellationToken);
        var elapsed = time.GetElapsedTime(started);
        return said.ExitCode == 0 ? elapsed : throw new InvalidOperationException($"{Name} ended with exit code {said.ExitCode}: {said.Error}");
    }

    protected abstract IReadOnlyList<string> Arguments(string code);

    /// <summary>Runs a command; the exit code is -1 when the program is not there.</summary>
    protected static async Task<(int ExitCode, string Output, string Error)> StartAsync(IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/",
        };
        try
        {
            using var process = Process.Start(start) ?? throw new Win32Exception();
            process.StandardInput.Close();
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return (process.ExitCode, output.Trim(), (await error).Trim());
        }
        catch (Win32Exception)
        {
            return (-1, "", "not found");
        }
    }

    /// <summary>Whether the peer can be measured: what will be measured has to succeed once. It also fills matplotlib's font cache.</summary>
    protected async Task<string?> TryAsync(CancellationToken cancellationToken)
    {
        foreach (var work in (string[])["pass", Rounds.Libraries])
        {
            var (code, _, error) = await StartAsync(Arguments(work), cancellationToken);
            if (code != 0)
            {
                return error.Length == 0 ? $"exit code {code}" : error.Split('\n')[^1];
            }
        }

        return null;
    }

    /// <summary>
    /// A directory for matplotlib's font cache, kept between runs as Cove keeps its own (building it anew each time would be no fair
    /// comparison), and writable for a peer's other user ids.
    /// </summary>
    protected static string MakeCache(string workDirectory)
    {
        const UnixFileMode Everyone = (UnixFileMode)0b111_111_111;
        var cache = Directory.CreateDirectory(Path.Combine(workDirectory, "cache"));
        cache.UnixFileMode = Everyone;
        return cache.FullName;
    }
}
