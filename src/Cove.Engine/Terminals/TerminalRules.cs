using Cove.Engine.Runs;
using Cove.Engine.Sandboxes;

namespace Cove.Engine.Terminals;

/// <summary>Checks every field of a terminal's request. Pure.</summary>
internal static class TerminalRules
{
    public const int DefaultColumns = 80;
    public const int DefaultRows = 24;
    private const int MaxSide = 1000;

    public static void Check(TerminalRequest request)
    {
        if (request.Argv is { } argv)
        {
            RunRules.Argv(argv);
        }

        RunRules.WorkingDirectory(request.WorkingDirectory);
        SandboxRules.Environment("environment", request.Environment);
        Size(request.Columns ?? DefaultColumns, request.Rows ?? DefaultRows);
    }

    public static void Size(int columns, int rows)
    {
        Side("columns", columns);
        Side("rows", rows);
    }

    private static void Side(string field, int value)
    {
        if (value is < 1 or > MaxSide)
        {
            throw Refusals.InvalidRequest(field, value, $"1 to {MaxSide:N0}");
        }
    }
}
