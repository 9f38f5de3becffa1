using Cove.Engine.Sandboxes;
using Cove.Engine.ToolCalls;

namespace Cove.Engine.Runs;

/// <summary>Checks every field of a run's request. Pure.</summary>
internal static class RunRules
{
    /// <summary>Code travels in one frame of 1 MiB; what is left is for its escapes.</summary>
    public const int MaxCodeBytes = 900_000;

    /// <summary>The kernel's own limit on one argument (MAX_ARG_STRLEN is 128 KiB with its NUL).</summary>
    private const int MaxArgumentBytes = (128 << 10) - 1;
    private const int MaxArguments = 1024;
    private const int MaxArgvBytes = 512 << 10;
    private const int MaxPathBytes = 4096;
    private const int MaxStdinBytes = 64 << 20;

    /// <summary>The first fault of a request; null when there is none.</summary>
    public static RunError? Check(RunRequest request)
    {
        try
        {
            Throw(request);
            return null;
        }
        catch (CoveException exception)
        {
            return exception.Error;
        }
    }

    private static void Throw(RunRequest request)
    {
        var given = (request.Code is null ? 0 : 1) + (request.Argv is null ? 0 : 1) + (request.ShellLine is null ? 0 : 1);
        if (given != 1)
        {
            throw Refusals.InvalidRequest("code, argv, shell_line", $"{given} of them", "exactly one of them");
        }

        if (request.Timeout is { } timeout)
        {
            SandboxRules.Span("timeout_ms", timeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(24));
        }

        if (request.Id is { } id && !RunId.TryParse(id.Value, out _))
        {
            throw Refusals.InvalidRequest("id", id.Value ?? "null", "1 to 40 characters of a-z and 0-9");
        }

        if (request.CorrelationId is { } correlation && !(correlation.Length is >= 1 and <= 128 && correlation.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')))
        {
            throw Refusals.InvalidRequest("correlation_id", null, "1 to 128 characters of A-Z, a-z, 0-9, '.', '_' and '-'");
        }

        if (request.Code is not null)
        {
            ThrowForCode(request, request.Code);
        }
        else
        {
            ThrowForCommand(request);
        }
    }

    private static void ThrowForCode(RunRequest request, string code)
    {
        if (!Texts.IsValid(code))
        {
            throw Refusals.InvalidRequest("code", null, "valid text; it holds half of a surrogate pair, which has no UTF-8");
        }

        if (Texts.Bytes(code) is > MaxCodeBytes and var bytes)
        {
            throw Refusals.InvalidRequest("code", $"{bytes} bytes", $"at most {MaxCodeBytes:N0} bytes; put large data into a file");
        }

        if (!Enum.IsDefined(request.Language))
        {
            throw Refusals.InvalidRequest("language", (int)request.Language, "python, bash or javascript");
        }

        if (request.Kernel is { } kernel && !Names.IsName(kernel))
        {
            throw Refusals.InvalidRequest("kernel", kernel, "1 to 40 characters of a-z, 0-9 and '-'");
        }

        // Silently ignoring them would let a caller believe that they hold.
        RefuseFor("code", "working_directory", request.WorkingDirectory);
        RefuseFor("code", "environment", request.Environment);
        RefuseFor("code", "stdin_base64", request.Stdin);
        RefuseFor("code", "keep_stdin_open", request.KeepStdinOpen ? true : null);
        ToolRules.Check(request);
    }

    private static void ThrowForCommand(RunRequest request)
    {
        RefuseFor("a command", "kernel", request.Kernel);
        RefuseFor("a command", "tools", request.Tools);
        RefuseFor("a command", "tool_call_timeout_ms", request.ToolCallTimeout);
        RefuseFor("a command", "max_tool_calls", request.MaxToolCalls);
        if (request.Argv is { } argv)
        {
            Argv(argv);
        }

        if (request.ShellLine is { } line)
        {
            Argument("shell_line", line);
            if (line.Length == 0)
            {
                throw Refusals.InvalidRequest("shell_line", "", "a command");
            }
        }

        WorkingDirectory(request.WorkingDirectory);
        SandboxRules.Environment("environment", request.Environment);
        if (request.Stdin is { Length: > MaxStdinBytes } stdin)
        {
            throw Refusals.InvalidRequest("stdin_base64", $"{stdin.Length} bytes", $"at most {MaxStdinBytes >> 20} MiB; write more to a file");
        }
    }

    /// <summary>Checks where a command runs.</summary>
    public static void WorkingDirectory(string? directory)
    {
        if (directory is not null && !(directory.StartsWith('/') && Texts.IsPlain(directory) && Texts.Bytes(directory) <= MaxPathBytes))
        {
            throw Refusals.InvalidRequest("working_directory", directory, $"an absolute path of at most {MaxPathBytes:N0} bytes, such as /workspace");
        }
    }

    /// <summary>Checks a command's arguments.</summary>
    public static void Argv(IReadOnlyList<string> argv)
    {
        if (argv.Count is 0 or > MaxArguments || string.IsNullOrEmpty(argv[0]))
        {
            throw Refusals.InvalidRequest("argv", $"{argv.Count} arguments", $"1 to {MaxArguments:N0}, the first of them the program");
        }

        long bytes = 0;
        for (var i = 0; i < argv.Count; i++)
        {
            Argument($"argv[{i}]", argv[i]);
            bytes += Texts.Bytes(argv[i]);
        }

        if (bytes > MaxArgvBytes)
        {
            throw Refusals.InvalidRequest("argv", $"{bytes} bytes", $"at most {MaxArgvBytes >> 10} KiB in all; write more to a file");
        }
    }

    /// <summary>Checks what is to be written to a standard input.</summary>
    public static void Input(ReadOnlyMemory<byte> input)
    {
        if (input.Length > RunStdin.MaxBytes)
        {
            throw Refusals.InvalidRequest("input", $"{input.Length} bytes", $"at most {RunStdin.MaxBytes >> 20} MiB a call; write more in several");
        }
    }

    /// <summary>Checks where to read on.</summary>
    public static void After(long after)
    {
        if (after < 0)
        {
            throw Refusals.InvalidRequest("after", after, "the sequence of an event, or 0");
        }
    }

    private static void Argument(string field, string? text)
    {
        if (!Texts.IsPlain(text))
        {
            throw Refusals.InvalidRequest(field, null, "valid text without NUL");
        }

        if (Texts.Bytes(text!) is > MaxArgumentBytes and var bytes)
        {
            throw Refusals.InvalidRequest(field, $"{bytes} bytes", $"at most {MaxArgumentBytes:N0} bytes; write more to a file");
        }
    }

    private static void RefuseFor(string what, string field, object? value)
    {
        if (value is not null)
        {
            throw Refusals.InvalidRequest(field, null, $"it only where it applies; for {what} leave it out");
        }
    }
}
