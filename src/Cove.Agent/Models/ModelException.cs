using System.Text.Json.Serialization;
using Cove.Agent.Loop;

namespace Cove.Agent.Models;

/// <summary>A call of a model that failed.</summary>
public sealed class ModelException : Exception
{
    /// <summary>Wraps a failure.</summary>
    public ModelException(ModelFailure failure, Exception? innerException = null)
        : base(failure.Message + " " + failure.Remediation, innerException) => Failure = failure;

    /// <summary>What happened and what to do about it.</summary>
    public ModelFailure Failure { get; }

    /// <summary>How long the provider asked to wait; null when it did not say.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Whether the same call may succeed by itself a little later.</summary>
    public bool Retryable => Failure.Kind switch
    {
        ModelFailureKind.Overloaded or ModelFailureKind.Unavailable or ModelFailureKind.Dropped or ModelFailureKind.Malformed or ModelFailureKind.RateLimited => true,
        _ => false,
    };
}

/// <summary>Kinds of failures of models.</summary>
[JsonConverter(typeof(SnakeCase<ModelFailureKind>))]
public enum ModelFailureKind
{
    /// <summary>Too many requests, and the provider said when to come back.</summary>
    RateLimited,

    /// <summary>Too many requests, and the provider did not say when to come back: a spending limit.</summary>
    SpendLimit,

    /// <summary>The provider has too much to do.</summary>
    Overloaded,

    /// <summary>The provider failed, or can't be reached.</summary>
    Unavailable,

    /// <summary>The answer broke off.</summary>
    Dropped,

    /// <summary>The answer was none.</summary>
    Malformed,

    /// <summary>The provider does not take the request.</summary>
    BadRequest,

    /// <summary>The request is larger than the provider takes.</summary>
    TooLarge,

    /// <summary>The key is wrong.</summary>
    Authentication,

    /// <summary>The key may not do this.</summary>
    Permission,

    /// <summary>The account can't pay.</summary>
    Billing,

    /// <summary>There is no such model or route.</summary>
    NotFound,

    /// <summary>The client failed in a way it does not name.</summary>
    Unknown,
}
