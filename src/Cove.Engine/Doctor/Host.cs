using System.ComponentModel;
using System.Diagnostics;

namespace Cove.Engine.Doctor;

/// <summary>The host as probes see it: its files, and its programs run with argument lists.</summary>
internal sealed class Host(DoctorOptions options)
{
    public DoctorOptions Options { get; } = options;

    /// <summary>A file's text without the white space around it; null when it cannot be read.</summary>
    public string? Read(string path)
    {
        try
        {
            return File.ReadAllText(Place(path)).Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public bool Exists(string path) => Path.Exists(Place(path));

    /// <summary>The command as this user has to type it.</summary>
    public string AsRoot(string command) => Options.IsRoot ? command : "sudo " + command;

    /// <summary>Runs a program; null when it is not there.</summary>
    public static async Task<ProgramOutput?> RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/",
        };
        try
        {
            using var process = Process.Start(start);
            if (process is null)
            {
                return null;
            }

            process.StandardInput.Close();
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return new ProgramOutput(process.ExitCode, output.Trim(), (await error).Trim());
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    private string Place(string path) => Path.Combine(Options.Root, path.TrimStart('/'));
}

/// <summary>What a program said and its exit code.</summary>
internal sealed record ProgramOutput(int ExitCode, string Output, string Error);
