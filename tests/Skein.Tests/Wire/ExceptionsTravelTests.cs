using System.Collections;
using System.Net;
using System.Text.Json;

namespace Skein.Tests;

public class ExceptionsTravelTests
{
    [Fact]
    public void Numbers_of_the_frameworks_exceptions_arrive_even_where_they_may_be_missing()
    {
        var json = Connection.Copy(new JsonException("text", "$.a", 7, 9));
        Assert.Equal("$.a 7 9", $"{json.Path} {json.LineNumber} {json.BytePositionInLine}");
        Assert.Null(Connection.Copy(new HttpRequestException("gone")).StatusCode);
        var many = Enumerable.Range(0, 2 * FieldSet.HotAfter).Select(i => new HttpRequestException($"{i}", null, HttpStatusCode.NotFound)).ToArray();
        Assert.All(Connection.Copy(many), error => Assert.Equal(HttpStatusCode.NotFound, error.StatusCode));   // the later ones by emitted code
    }

    [Fact]
    public void Data_that_is_text_or_numbers_arrives_however_often_an_exception_is_sent_on()
    {
        object?[] values = ["text", true, 'c', (byte)1, (sbyte)-1, (short)-2, (ushort)2, -3, 3u, -4L, 4ul, 0.25f, 0.5, 1.5m, null];
        var error = new InvalidOperationException("x");
        for (var i = 0; i < values.Length; i++)
            error.Data[$"{i}"] = values[i];
        error.Data["stays"] = new object();
        var once = Connection.Copy(error);
        Assert.Equal(values, once.Data.Cast<DictionaryEntry>().Select(static entry => entry.Value));
        Assert.Equal(values, Connection.Copy(once).Data.Values.Cast<object?>());
    }

    [Fact]
    public void A_stack_is_the_same_however_often_an_exception_is_sent_on()
    {
        var once = Connection.Copy(Thrown());
        Assert.Contains("another process", once.StackTrace);
        Assert.Equal(once.StackTrace, Connection.Copy(Connection.Copy(once)).StackTrace);
    }

    static InvalidOperationException Thrown()
    {
        try
        {
            throw new InvalidOperationException("x");
        }
        catch (InvalidOperationException error)
        {
            return error;
        }
    }
}
