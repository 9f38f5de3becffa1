namespace Cove.Server.Logs;

/// <summary>How a log message becomes bytes, its line ends included.</summary>
internal interface ILogFormat
{
    byte[] Format(in LogLine line);
}
