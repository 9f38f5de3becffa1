using System.Runtime.InteropServices;
using System.Text;

namespace Cove.Cli.Running;

/// <summary>Standard output and standard error of the command. What the sandbox wrote passes unchanged; what is ours goes to standard error as <c>cove: …</c>.</summary>
internal sealed class Screen(int output = 1, int error = 2)
{
    private readonly DescriptorWriter _out = new(output);
    private readonly DescriptorWriter _error = new(error);

    /// <summary>Nothing further reaches whoever reads our output.</summary>
    public bool Deaf => _out.Failure != 0;

    /// <summary>
    /// The exit code of a command whose output is now all written: what was lost must not end as a success. A reader that has had enough is told apart from a
    /// disk that is full.
    /// </summary>
    public int ExitCode(int otherwise)
    {
        Flush();
        switch (_out.Failure)
        {
            case 0:
                return otherwise;
            case Libc.ErrorBrokenPipe:
                return ExitCodes.BrokenPipe;
            case var error:
                Notice($"standard output can't be written: {Marshal.GetPInvokeErrorMessage(error)}. What was printed is not complete.");
                Flush();
                return ExitCodes.Infrastructure;
        }
    }

    public void Write(OutputStream stream, string text)
    {
        // What one stream holds back must not be overtaken by the other: on a terminal they are read as one.
        if (stream is OutputStream.Stdout)
        {
            _error.Flush();
            _out.Write(text);
        }
        else
        {
            _out.Flush();
            _error.Write(text);
        }
    }

    public void Line(string text) => Write(OutputStream.Stdout, text.EndsWith('\n') ? text : text + "\n");

    public void ErrorLine(string text) => Write(OutputStream.Stderr, text.EndsWith('\n') ? text : text + "\n");

    /// <summary>A message of ours; parts of it may come from the sandbox, so it is one line without control characters.</summary>
    public void Notice(string text) => ErrorLine("cove: " + Plain(text));

    public void Error(RunError failure)
    {
        Notice(failure.Message);
        if (failure.Remediation.Length > 0)
        {
            Notice(failure.Remediation);
        }
    }

    public void Flush()
    {
        _out.Flush();
        _error.Flush();
    }

    internal static string Plain(string text)
    {
        var plain = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            plain.Append(char.IsControl(c) ? ' ' : c);
        }

        return plain.ToString();
    }
}
