using Microsoft.Extensions.Logging;

namespace Cove.Server.Hosting;

/// <summary>Every log message of the server; ids 200 to 299 are its own.</summary>
internal static partial class LogMessages
{
    [LoggerMessage(200, LogLevel.Information, "engine listens at {Socket}, build {Build}, process {Pid}")]
    public static partial void Listening(this ILogger log, string socket, string build, int pid);

    [LoggerMessage(201, LogLevel.Information, "engine ends: {Reason}")]
    public static partial void Ending(this ILogger log, string reason);

    [LoggerMessage(202, LogLevel.Warning, "a connection of user id {User} was refused")]
    public static partial void ForeignPeer(this ILogger log, uint user);

    [LoggerMessage(203, LogLevel.Error, "{Method} {Path} failed")]
    public static partial void RequestFailed(this ILogger log, Exception failure, string method, string path);

    [LoggerMessage(204, LogLevel.Information, "root was given up; the engine is user {User} now")]
    public static partial void BecameUser(this ILogger log, int user);

    [LoggerMessage(240, LogLevel.Warning, "the sandbox {Sandbox} of a call could not be deleted; its lifetime will end it")]
    public static partial void NotDeleted(this ILogger log, Exception failure, string sandbox);
}
