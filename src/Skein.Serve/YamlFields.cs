using YamlDotNet.RepresentationModel;

namespace Skein.Serve;

/// <summary>Reads a text as something; false: it is none.</summary>
delegate bool Parser<T>(string text, out T value);

/// <summary>The fields of one mapping. What is wrong with them is added to the errors, and read as if it were not there.</summary>
sealed class YamlFields
{
    readonly Dictionary<string, YamlNode> _fields = [];
    readonly string _path;
    readonly Action<YamlNode, string> _fail;

    /// <param name="path">Where it stands, as <c>services.git.</c></param>
    public YamlFields(YamlMappingNode node, string path, Action<YamlNode, string> fail, params ReadOnlySpan<string> known)
    {
        (_path, _fail) = (path, fail);
        foreach (var (key, value) in node.Children)
        {
            var name = (key as YamlScalarNode)?.Value ?? "";
            if (!known.Contains(name))
                fail(key, $"{path}{name} is not known: one of {string.Join(", ", known!)} is expected.");
            else
                _fields[name] = value;
        }
    }

    public bool Has(string name) => _fields.ContainsKey(name);

    public YamlNode? Node(string name) => _fields.GetValueOrDefault(name);

    public string? Text(string name)
    {
        if (!_fields.TryGetValue(name, out var node))
            return null;
        if (node is YamlScalarNode { Value.Length: > 0 } scalar)
            return scalar.Value;
        Fail(node, name, "a text");
        return null;
    }

    /// <summary>One text, or a list of them.</summary>
    public IReadOnlyList<string> Texts(string name)
    {
        switch (Node(name))
        {
            case null:
                return [];
            case YamlSequenceNode list when list.Children.All(item => item is YamlScalarNode):
                return [.. list.Children.Select(item => ((YamlScalarNode)item).Value ?? "")];
            case YamlScalarNode { Value.Length: > 0 } scalar:
                return [scalar.Value];
            case var node:
                Fail(node, name, "a text or a list of texts");
                return [];
        }
    }

    public T? Value<T>(string name, Parser<T> parser, string expected) where T : struct
    {
        if (Text(name) is not { } text)
            return null;
        if (parser(text, out var value))
            return value;
        _fail(_fields[name], $"{_path}{name}: '{text}' is not {expected}.");
        return null;
    }

    public IReadOnlyList<T> Values<T>(string name, Parser<T> parser, string expected)
    {
        var values = new List<T>();
        foreach (var text in Texts(name))
        {
            if (parser(text, out var value))
                values.Add(value);
            else
                _fail(_fields[name], $"{_path}{name}: '{text}' is not {expected}.");
        }

        return values;
    }

    public bool Flag(string name) => Value<bool>(name, bool.TryParse, "true or false") ?? false;

    public IReadOnlyDictionary<string, string> Map(string name)
    {
        if (Node(name) is not { } node)
            return new Dictionary<string, string>();
        if (node is YamlMappingNode map && map.Children.All(pair => pair.Key is YamlScalarNode && pair.Value is YamlScalarNode))
            return map.Children.ToDictionary(pair => ((YamlScalarNode)pair.Key).Value!, pair => ((YamlScalarNode)pair.Value).Value ?? "");
        Fail(node, name, "names with a text each");
        return new Dictionary<string, string>();
    }

    /// <summary>What is wrong with a field; the whole mapping where there is no such field.</summary>
    public void Wrong(YamlNode node, string message) => _fail(node, $"{_path.TrimEnd('.')}: {message}");

    void Fail(YamlNode node, string name, string expected) => _fail(node, $"{_path}{name}: {expected} is expected.");
}
