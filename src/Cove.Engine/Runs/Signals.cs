using Cove.Engine.Isolation;

namespace Cove.Engine.Runs;

/// <summary>Names and exit codes of the signals that end processes.</summary>
internal static class Signals
{
    public const int Interrupt = 2;
    public const int Kill = 9;

    /// <summary>What a shell reports for a process that a signal ended.</summary>
    public static int ExitCode(int signal) => 128 + signal;

    /// <summary>The signal behind a shell's exit code; null for a code that is a program's own.</summary>
    public static int? Of(int exitCode) => exitCode is > 128 and <= 128 + 31 ? exitCode - 128 : null;

    public static string Name(int signal) => signal switch
    {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        _ => $"signal {signal}",
    };

    public static string Describe(ProcessExit? exit) => exit switch
    {
        { Signal: { } signal } => Name(signal),
        { Code: { } code } => $"exit code {code}",
        _ => "unseen",
    };

    public static int? ExitCode(ProcessExit? exit) => exit switch
    {
        { Signal: { } signal } => ExitCode(signal),
        { Code: { } code } => code,
        _ => null,
    };
}
