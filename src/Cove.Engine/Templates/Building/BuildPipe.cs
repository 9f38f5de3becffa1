using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Cove.Engine.Templates.Building;

/// <summary>mmdebstrap's output into tar's input. Stopped, both end before the call returns; mmdebstrap is asked first, since it removes what it made.</summary>
internal sealed partial class BuildPipe(TimeProvider time, Action<string> say)
{
    private const int Terminate = 15;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    public async Task RunAsync(IReadOnlyList<string> bootstrap, IReadOnlyList<string> unpack, string? temporary, CancellationToken cancellationToken)
    {
        var last = "";
        using var source = Start("mmdebstrap", bootstrap, temporary, line =>
        {
            last = line.StartsWith("E: ", StringComparison.Ordinal) ? line : last;
            say(line);
        });
        using var sink = Start("tar", unpack, null, say);
        source.StandardInput.Close();
        try
        {
            await source.StandardOutput.BaseStream.CopyToAsync(sink.StandardInput.BaseStream, 1 << 20, cancellationToken);
            sink.StandardInput.Close();
            await source.WaitForExitAsync(cancellationToken);
            await sink.WaitForExitAsync(cancellationToken);
        }
        catch (Exception error) when (error is OperationCanceledException or IOException)
        {
            await StopAsync(source);
            await StopAsync(sink);
            cancellationToken.ThrowIfCancellationRequested();
        }

        Check("mmdebstrap", source, last);
        Check("tar", sink, "");
    }

    private static void Check(string program, Process process, string last)
    {
        if (process.ExitCode != 0)
        {
            throw TemplateBuilder.Failed(
                $"{program} ended with exit code {process.ExitCode}{(last.Length > 0 ? $" ({last})" : "")}", "Read its messages above: a package's name may be wrong, or a mirror away.");
        }
    }

    private static Process Start(string program, IEnumerable<string> arguments, string? temporary, Action<string> say)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = program != "tar", RedirectStandardError = true, WorkingDirectory = "/",
        };
        if (temporary is not null)
        {
            start.Environment["TMPDIR"] = temporary;
        }

        try
        {
            var process = Process.Start(start) ?? throw new Win32Exception();
            process.ErrorDataReceived += (_, line) =>
            {
                if (!string.IsNullOrWhiteSpace(line.Data))
                {
                    say(line.Data);
                }
            };
            process.BeginErrorReadLine();
            return process;
        }
        catch (Win32Exception)
        {
            throw TemplateBuilder.Failed($"{program} is not there", $"Install it: apt-get install {program}");
        }
    }

    private async Task StopAsync(Process process)
    {
        try
        {
            _ = Signal(process.Id, Terminate);
            await process.WaitForExitAsync().WaitAsync(_patience, time);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}
