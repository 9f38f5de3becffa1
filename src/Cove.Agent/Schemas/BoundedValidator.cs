using System.Runtime.CompilerServices;
using Newtonsoft.Json.Linq;
using NJsonSchema;
using NJsonSchema.Validation;
using NJsonSchema.Validation.FormatValidators;

namespace Cove.Agent.Schemas;

/// <summary>
/// The validator, with an end to it. A schema of somebody else's can lead back to itself without going deeper into the arguments, which would take the
/// whole stack and the process with it, or double its work with each of its parts.
/// </summary>
internal sealed class BoundedValidator(params IFormatValidator[] formats) : JsonSchemaValidator(formats)
{
    private const int MaximumSteps = 250_000;
    private int _steps;

    /// <exception cref="TimeoutException">It takes too long, or leads nowhere.</exception>
    protected override ICollection<ValidationError> Validate(JToken token, JsonSchema schema, SchemaType schemaType, string propertyName, string propertyPath) =>
        ++_steps <= MaximumSteps && RuntimeHelpers.TryEnsureSufficientExecutionStack()
            ? base.Validate(token, schema, schemaType, propertyName, propertyPath)
            : throw new TimeoutException();
}
