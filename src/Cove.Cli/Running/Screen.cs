using System.Text;

namespace Cove.Cli.Running;

/// <summary>Standard output and standard error of the command. What the sandbox wrote passes unchanged; what is ours goes to standard error as <c>cove: …</c>.</summary>
internal sealed class Screen
{
    private readonly DescriptorWriter _out = new(1);
    private readonly DescriptorWriter _error = new(2);

    /// <summary>Whoever read our output has stopped reading.</summary>
    public bool Broken => _out.Broken;

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

    public void Error(RunError error)
    {
        Notice(error.Message);
        if (error.Remediation.Length > 0)
        {
            Notice(error.Remediation);
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
