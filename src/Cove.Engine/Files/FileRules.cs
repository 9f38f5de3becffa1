namespace Cove.Engine.Files;

/// <summary>Checks the fields of file calls. Which paths may be reached is the worker's to decide; these are about the shape.</summary>
internal static class FileRules
{
    public const int MaxDepth = 64;
    private const int MaxPathBytes = 4096;

    public static void Path(string field, string? path)
    {
        if (path is not { Length: > 0 } || path[0] != '/' || !Texts.IsPlain(path) || Texts.Bytes(path) > MaxPathBytes)
        {
            throw Refusals.InvalidRequest(field, path ?? "null", $"an absolute path of at most {MaxPathBytes:N0} bytes without NUL, such as /workspace/data.csv");
        }
    }

    public static void Depth(int depth)
    {
        if (depth is < 1 or > MaxDepth)
        {
            throw Refusals.InvalidRequest("depth", depth, $"1 to {MaxDepth}");
        }
    }

    public static void Range(FileRange? range)
    {
        if (range is { } given && (given.Start < 0 || given.Length < 1))
        {
            throw Refusals.InvalidRequest("range", given, "a start from 0 and a length from 1");
        }
    }

    public static void Options(FileWriteOptions options)
    {
        if (options.Mode is < 0 or > 0x1FF)
        {
            throw Refusals.InvalidRequest("mode", Convert.ToString(options.Mode, 8), "permission bits from 0 to 0777 (octal)");
        }
    }
}
