using System.Text.Json;
using Cove.Agent.Schemas;
using Xunit;

namespace Cove.Tests.Agent.Schemas;

/// <summary>The one place where arguments are held against a schema, whoever wrote the schema. What declared tools make of it is in InputTests.</summary>
public sealed class ArgumentSchemaTests
{
    [Theory]
    [InlineData("""{"a":1,"p":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"}""", "p is 'aaaaa", "give a text that matches ^(a+)+$")]
    [InlineData("""{"a":1,"q":"xx"}""", "q is 'xx': give a text that matches ^(?!x)y")]
    [InlineData("""{"a":1,"k":2}""", "k is 2: give one of 1")]
    [InlineData("""{"a":1,"r":{"n":true}}""", "r.n is true: give a whole number")]
    [InlineData("""{"a":1,"l":[{"n":1},{"n":"x"}]}""", "l[1].n is 'x': give a whole number")]
    [InlineData("""{"a":1,"default":2}""", "default is 2: give a text")]
    [InlineData("""{"a":1,"e":{"pattern":"b"}}""", "e is {\"pattern\":\"b\"}: give one of")]
    [InlineData("""{"a":1,"d.e":2}""", "d.e is not acceptable: give a text")]
    [InlineData("""{"a":1,"z\u001b":2}""", "z? is not known: leave it out")]
    [InlineData("""{}""", "a is missing: give it")]
    public void What_does_not_fit_is_named_with_its_value_and_what_would_be_right(string arguments, params string[] said)
    {
        var fault = Assert.Single(Foreign().Faults(arguments));
        Assert.All(said, part => Assert.Contains(part, fault, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"a":1.5}""")]
    [InlineData("""{"a":1,"e":{"pattern":"a"},"default":"x","d.e":"x","q":"y","k":1,"r":{"n":2},"l":[{}]}""")]
    public void What_fits_has_no_fault(string arguments) => Assert.Empty(Foreign().Faults(arguments));

    [Fact]
    public void Arguments_are_an_object() => Assert.Contains("the input is []: give an object", Foreign().Faults("[]"));

    [Fact]
    public void What_is_no_schema_object_takes_everything() => Assert.Empty(new ArgumentSchema(default).Faults("""{"a":[1]}"""));

    [Theory]
    [InlineData("""{"a":"\ud800"}""")]
    [InlineData("""{"a":1e400}""")]
    [InlineData("""{"a":123456789012345678901234567890123456789012345678901234567890}""")]
    public void Arguments_that_hold_what_can_not_be_read_are_judged_all_the_same(string arguments) =>
        Assert.NotEmpty(Schema("""{"properties":{"a":{"type":"boolean"}}}""").Faults(arguments));

    [Fact]
    public void Faults_and_values_are_bounded_and_show_no_control_characters()
    {
        var schema = Schema("""{"type":"object","additionalProperties":{"type":"integer"}}""");
        var faults = schema.Faults(JsonSerializer.Serialize(Enumerable.Range(0, 500).ToDictionary(i => $"{i}\u001b{new string('n', 5_000)}", _ => "\u001b" + new string('v', 5_000))));
        Assert.InRange(faults.Count, 1, 10);
        Assert.All(faults, fault => Assert.True(fault.Length < 300 && !fault.Any(char.IsControl), fault));
    }

    [Fact]
    public void Deep_arguments_are_refused()
    {
        var fault = Assert.Single(Schema("{}").Faults("{\"a\":" + new string('[', 200) + new string(']', 200) + "}"));
        Assert.Contains("a nesting that can't be read", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_that_a_pattern_takes_long_for_is_refused_also_where_the_pattern_is_forbidden()
    {
        var slow = $$"""{"a":"{{new string('a', 40)}}!"}""";
        foreach (var rule in new[] { """{"pattern":"^(?!x)(a+)+$"}""", """{"not":{"pattern":"^(?!x)(a+)+$"}}""" })
        {
            Assert.Contains("too long to check", Assert.Single(Schema("""{"type":"object","properties":{"a":RULE}}""".Replace("RULE", rule, StringComparison.Ordinal)).Faults(slow)), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"anyOf":[{"type":"string"},{"$ref":"#/properties/a"}]}}}""")]
    [InlineData("""{"type":"object","properties":{"a":{"not":{"$ref":"#/properties/a"}}}}""")]
    public void A_schema_that_leads_back_to_itself_takes_no_process_along(string schema) =>
        Assert.Contains("too long to check", Assert.Single(Schema(schema).Faults("""{"a":1}""")), StringComparison.Ordinal);

    [Fact]
    public void A_schema_that_leads_back_to_itself_one_level_deeper_is_enforced()
    {
        var tree = Schema("""{"type":"object","properties":{"n":{"type":"integer"},"c":{"type":"array","items":{"$ref":"#"}}}}""");
        Assert.Empty(tree.Faults("""{"n":1,"c":[{"n":2,"c":[{"n":3}]},{}]}"""));
        Assert.Contains("c[0].c[0].n is 'x'", Assert.Single(tree.Faults("""{"c":[{"c":[{"n":"x"}]}]}""")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"properties":{"a":{"$ref":"http://127.0.0.1:1/x.json"}}}""", "another document")]
    [InlineData("""{"properties":{"a":{"items":[{"$ref":"/etc/passwd"}]}}}""", "another document")]
    [InlineData("""{"properties":{"a":{"enum":[{"$ref":"/etc/passwd"}]}}}""", "another document")]
    [InlineData("""{"type":"object","patternProperties":{"^(a+)+$":{}}}""", "patternProperties")]
    [InlineData("""{"properties":{"a":{"pattern":"("}}}""", "(")]
    [InlineData("""{"properties":5}""", "")]
    public void A_schema_that_can_not_be_enforced_is_refused(string schema, string why) =>
        Assert.Contains(why, Assert.Throws<FormatException>(() => Schema(schema)).Message, StringComparison.Ordinal);

    [Fact]
    public void An_argument_may_have_the_name_of_a_word_of_schemas()
    {
        var schema = Schema("""{"type":"object","properties":{"patternProperties":{"type":"object"},"pattern":{"type":"integer"},"const":{"type":"integer"},"$ref":{"type":"integer"}}}""");
        Assert.Empty(schema.Faults("""{"patternProperties":{},"pattern":1,"const":1,"$ref":1}"""));
        Assert.Equal(4, schema.Faults("""{"patternProperties":1,"pattern":"x","const":"x","$ref":"x"}""").Count);
    }

    [Theory]
    [InlineData("^a$", "a", true)]
    [InlineData("^a$", "a\n", false)]
    [InlineData(@"^\d$", "٣", false)]
    [InlineData(@"^[\w-]+$", "a-b_c", true)]
    [InlineData(@"^[\w-]+$", "é", false)]
    [InlineData(@"^[$a]$", "$", true)]
    [InlineData(@"^\$$", "$", true)]
    [InlineData(@"^[a-z-[b]+$", "[", true)]
    [InlineData(@"a\/b", "a/b", true)]
    public void Patterns_mean_what_they_mean_in_JSON_schemas(string pattern, string text, bool matches)
    {
        Assert.Equal(matches, EcmaPattern.Linear(pattern)!.IsMatch(text));
        Assert.Equal(matches, EcmaPattern.Bounded("(?!~)" + pattern).IsMatch(text)); // a look-ahead, which can't be matched in linear time
        Assert.Null(EcmaPattern.Linear("(?!~)" + pattern));
    }

    private static ArgumentSchema Foreign() => Schema("""
        {"type":"object","required":["a"],"additionalProperties":false,"$defs":{"node":{"type":"object","properties":{"n":{"type":"integer"}}}},"properties":{
          "a":{"type":"number"},"p":{"type":"string","pattern":"^(a+)+$"},"q":{"type":"string","pattern":"^(?!x)y"},"k":{"const":1},"r":{"$ref":"#/$defs/node"},
          "l":{"type":"array","items":{"$ref":"#/$defs/node"}},"default":{"type":"string"},"e":{"enum":[{"pattern":"a"}]},"d.e":{"type":"string","default":"x"}}}
        """);

    private static ArgumentSchema Schema(string json) => new(JsonElement.Parse(json));
}
