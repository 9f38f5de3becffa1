using Cove.Server.Frontends.Execute;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Execute;

public sealed class ExecuteTranslationTests
{
    /// <summary>Every outcome, with each category an engine gives it: outcome, code, category, exception, the category told, what is said.</summary>
    [Theory]
    [InlineData(RunOutcome.GuestError, ErrorCategory.Code, "ZeroDivisionError", "RuntimeError", "as the exception says")]
    [InlineData(RunOutcome.GuestError, ErrorCategory.Code, "SyntaxError", "SyntaxError", "as the exception says")]
    [InlineData(RunOutcome.GuestError, ErrorCategory.Code, "IndentationError", "SyntaxError", "as the exception says")]
    [InlineData(RunOutcome.GuestError, ErrorCategory.Code, "ModuleNotFoundError", "ImportError", "as the exception says")]
    [InlineData(RunOutcome.GuestError, ErrorCategory.Code, null, "RuntimeError", "as the engine says")]
    [InlineData(RunOutcome.GuestError, ErrorCategory.Limit, "OSError", "ResourceError", "as the engine says")]
    [InlineData(RunOutcome.TimedOut, ErrorCategory.Limit, null, "TimeoutError", "Execution timed out after 30s")]
    [InlineData(RunOutcome.OutOfMemory, ErrorCategory.Limit, "MemoryError", "MemoryError", "as the engine says")]
    [InlineData(RunOutcome.OutputLimit, ErrorCategory.Limit, null, "ResourceError", "as the engine says")]
    [InlineData(RunOutcome.Interrupted, ErrorCategory.Caller, null, "InterruptedError", "as the engine says")]
    [InlineData(RunOutcome.Killed, ErrorCategory.Caller, null, "InterruptedError", "as the engine says")]
    [InlineData(RunOutcome.Killed, ErrorCategory.Code, null, "RuntimeError", "as the engine says")]
    [InlineData(RunOutcome.InfrastructureFailure, ErrorCategory.Infrastructure, null, "ApiError", "as the engine says")]
    public void Every_outcome_has_its_category_and_its_words(RunOutcome outcome, ErrorCategory category, string? exception, string told, string said)
    {
        var error = new RunError
        {
            Code = "some_code",
            Category = category,
            Retryable = false,
            Message = "as the engine says",
            Remediation = "Do otherwise.",
            Evidence = exception is null ? null : new ErrorEvidence { ExceptionType = exception, ExceptionMessage = "as the exception says" },
        };
        var call = new ExecuteCall("1", Language.Python, ExecuteTranslation.DefaultTimeout, null, Details: true, Images: false);
        var answer = ExecuteTranslation.Answer(call, new ExecuteOutput(images: false), FakeCoveRun.Ended(outcome, 1, error), "id");
        Assert.Equal((told, $"\nExecution Error: {said}", false), (answer.ErrorCategory.ToString(), answer.Error, answer.Success));
    }

    [Fact]
    public void No_outcome_but_ok_is_a_success()
    {
        var call = new ExecuteCall("1", Language.Python, ExecuteTranslation.DefaultTimeout, null, Details: true, Images: false);
        foreach (var outcome in Enum.GetValues<RunOutcome>())
        {
            var answer = ExecuteTranslation.Answer(call, new ExecuteOutput(images: false), FakeCoveRun.Ended(outcome, null), "id");
            Assert.Equal(outcome == RunOutcome.Ok, answer.Success);
            Assert.Equal(outcome == RunOutcome.Ok, answer.ErrorCategory is null);
        }
    }
}
