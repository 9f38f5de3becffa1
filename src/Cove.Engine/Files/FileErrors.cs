using System.Text.Json;

namespace Cove.Engine.Files;

/// <summary>The errors of file calls.</summary>
internal static class FileErrors
{
    private const int NoSpaceErrno = 28;
    private const int QuotaErrno = 122;

    /// <summary>What the worker said no with; its code is kept.</summary>
    public static CoveException Refused(JsonElement answer)
    {
        var code = answer.Text("code") is { Length: > 0 and <= 64 } said ? said : "file_error";
        var message = answer.Text("message") is { Length: > 0 } text ? Short(text) : "The file call failed.";
        var (category, remediation) = code switch
        {
            "not_found" => (ErrorCategory.NotFound, "List the directory to see what is there."),
            "already_exists" or "not_empty" or "busy" => (ErrorCategory.Conflict, "Remove what is there first, or allow it to be replaced."),
            "no_space" => (ErrorCategory.Limit, "Remove files, or ask for a higher disk limit."),
            "too_many_entries" or "too_many_open" => (ErrorCategory.Limit, "Ask for less at once: a subdirectory, or a smaller depth."),
            "bad_archive" => (ErrorCategory.Request, "Send a whole tar archive (ustar, pax or GNU, not compressed); what was unpacked before stays."),
            "refused_entry" => (ErrorCategory.Request, "Make the archive anew without it; what was unpacked before stays."),
            "too_many_watches" => (ErrorCategory.Limit, "End watches that are not needed, or raise the host's fs.inotify limits."),
            "io_error" => (ErrorCategory.Infrastructure, "Try again; if it stays so, create a new sandbox."),
            _ => (ErrorCategory.Request, "Check the path and what it is; only regular files beneath /workspace, /tmp and /home/user can be read and written."),
        };
        return Error(code, category, false, message, remediation);
    }

    public static CoveException NoSpace(string path) => Error(
        "no_space", ErrorCategory.Limit, false, $"The sandbox's disk is full; '{path}' was not written.", "Remove files, or ask for a higher disk limit.");

    public static CoveException TooManyEntries(string path, int limit) => Error(
        "too_many_entries", ErrorCategory.Limit, false, $"'{path}' holds more than {limit:N0} entries at that depth.", "List a subdirectory, or a smaller depth.");

    public static CoveException TooManyErrands(int most) => Error(
        "too_many_transfers", ErrorCategory.Limit, true, $"{most} archives and watches of this sandbox are going on already.", "End one, or wait for an archive to be done.");

    public static CoveException RangeNotSatisfiable(string path, FileRange range, long length) => Error(
        "range_not_satisfiable", ErrorCategory.Request, false, $"'{path}' has {length:N0} bytes; the range begins at {range.Start:N0}.", $"Start before {length}.");

    public static CoveException NotRegular(string path) => Error(
        "not_a_file", ErrorCategory.Request, false, $"'{path}' is no regular file.", "Name a regular file.");

    public static CoveException WorkerLost(string detail) => Error(
        "file_worker_lost", ErrorCategory.Infrastructure, true, $"The sandbox's file worker was lost: {Short(detail)}.", "Try again; if it stays so, create a new sandbox.");

    public static CoveException BadAnswer() => WorkerLost("it gave an answer that cannot be read");

    public static bool IsNoSpace(IOException exception) => exception.HResult is NoSpaceErrno or QuotaErrno;

    private static string Short(string text) => text.Length <= 500 ? text : text[..(char.IsHighSurrogate(text[499]) ? 499 : 500)] + "…";

    private static CoveException Error(string code, ErrorCategory category, bool retryable, string message, string remediation) => new(new RunError
    {
        Code = code,
        Category = category,
        Retryable = retryable,
        Message = message,
        Remediation = remediation,
    });
}
