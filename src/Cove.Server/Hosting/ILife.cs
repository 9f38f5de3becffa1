namespace Cove.Server.Hosting;

/// <summary>How long what is served goes on being served: the warm engine's life ends when it is idle, a server's when it is told to.</summary>
internal interface ILife
{
    /// <summary>Why nothing new is begun any more; null while it is.</summary>
    RunError? Refusal { get; }

    /// <summary>Counts a request as work in progress until what is returned is disposed; null when nobody will wait for it.</summary>
    IDisposable? Enter(Operation operation);
}
