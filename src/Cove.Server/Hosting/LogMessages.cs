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

    [LoggerMessage(203, LogLevel.Error, "{Method} {Route} failed")]
    public static partial void RequestFailed(this ILogger log, Exception failure, string method, string route);

    [LoggerMessage(204, LogLevel.Information, "root was given up; the engine is user {User} now")]
    public static partial void BecameUser(this ILogger log, int user);

    [LoggerMessage(210, LogLevel.Information, "server {Version} listens at {Addresses}, data in {Data}, process {Pid}")]
    public static partial void ServerListens(this ILogger log, string version, string addresses, string data, int pid);

    [LoggerMessage(211, LogLevel.Information, "server stops ({Reason}): nothing new is begun; what is in progress has {Seconds} s to end")]
    public static partial void ServerDrains(this ILogger log, string reason, double seconds);

    [LoggerMessage(212, LogLevel.Warning, "the time to end is over; {Requests} requests and {Runs} runs are cut short")]
    public static partial void DrainTimeIsOver(this ILogger log, int requests, int runs);

    [LoggerMessage(213, LogLevel.Information, "server stopped")]
    public static partial void ServerStopped(this ILogger log);

    [LoggerMessage(214, LogLevel.Information, "root was given up; the server is user {User} now")]
    public static partial void ServerBecameUser(this ILogger log, int user);

    [LoggerMessage(215, LogLevel.Warning, "ANYBODY who can connect to this machine's loopback may use this server: it asks for no key (allow_anonymous)")]
    public static partial void AnonymousAllowed(this ILogger log);

    [LoggerMessage(EventId = 220, Message = "{Method} {Route} {Status} in {DurationMs} ms")]
    public static partial void Answered(this ILogger log, LogLevel level, string method, string route, int status, double durationMs);

    [LoggerMessage(240, LogLevel.Warning, "the sandbox {Sandbox} of a call could not be deleted; its lifetime will end it")]
    public static partial void NotDeleted(this ILogger log, Exception failure, string sandbox);
}
