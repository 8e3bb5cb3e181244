using System.Globalization;
using System.Reflection;

namespace Skein.Cli;

/// <summary>
/// Makes a function's arguments of an input, by the types of its parameters and invariantly. One parameter takes the whole input; several
/// take its fields: what tabs separate, or white space where there is no tab. A last array takes all remaining fields.
/// </summary>
sealed class InputArguments
{
    readonly Parameter[] _parameters;
    readonly int _least;
    readonly bool _hasRest;

    public InputArguments(MethodInfo function)
    {
        _parameters = Array.ConvertAll(function.GetParameters(), parameter => new Parameter(parameter));
        _hasRest = _parameters is [.., { IsRest: true }];
        _least = _parameters.Count(parameter => !parameter.IsRest && !parameter.IsOptional);
    }

    /// <summary>The key in the data of an exception that says: the input was wrong, not the function.</summary>
    public const string Refused = "skein: the input was refused";

    /// <exception cref="FormatException">The input does not fit the parameters; the message says which one.</exception>
    public object?[] Read(string input)
    {
        var fields = _parameters switch
        {
            [] => throw Refusal("the function takes no argument, so it cannot take an input"),
            [{ IsRest: false }] => [input],
            _ => Fields(input),
        };
        return Of(fields);
    }

    /// <summary>Of fields that are known.</summary>
    /// <inheritdoc cref="Read"/>
    public object?[] Of(string[] fields)
    {
        var single = _parameters.Length - (_hasRest ? 1 : 0);
        if (fields.Length < _least || (fields.Length > single && !_hasRest))
            throw Refusal($"the function takes {Expected(single)}, and the input has {fields.Length}");
        var arguments = new object?[_parameters.Length];
        for (var i = 0; i < single; i++)
            arguments[i] = i < fields.Length ? _parameters[i].Read(fields[i], i + 1) : _parameters[i].Default;
        if (_hasRest)
            arguments[^1] = _parameters[^1].ReadRest(fields, Math.Min(single, fields.Length));
        return arguments;
    }

    string Expected(int single) => _hasRest ? $"at least {_least} fields" : _least == single ? $"{single} fields" : $"{_least} to {single} fields";

    static FormatException Refusal(string message) => new(message) { Data = { [Refused] = true } };

    static string[] Fields(string input) =>
        input.Contains('\t') ? input.Split('\t') : input.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    sealed class Parameter
    {
        readonly ParameterInfo _info;
        readonly Type _element;
        readonly Func<string, object?> _parse;

        public Parameter(ParameterInfo info)
        {
            _info = info;
            IsRest = info.ParameterType.IsSZArray && info.Position == ((MethodInfo)info.Member).GetParameters().Length - 1;
            _element = IsRest ? info.ParameterType.GetElementType()! : info.ParameterType;
            _parse = FieldParser.For(_element)
                ?? throw CommandFailure.Usage($"--function: the parameter '{info.Name}' is of type {info.ParameterType}, which cannot be made of text.");
        }

        public bool IsRest { get; }

        public bool IsOptional => _info.HasDefaultValue;

        public object? Default => _info.DefaultValue;

        public object? Read(string field, int number)
        {
            try
            {
                return _parse(field);
            }
            catch (Exception error) when (error is FormatException or OverflowException or ArgumentException)
            {
                throw Refusal($"'{field}' (field {number.ToString(CultureInfo.InvariantCulture)}, parameter '{_info.Name}') is no {FieldParser.NameOf(_element)}");
            }
        }

        public Array ReadRest(string[] fields, int from)
        {
            var rest = Array.CreateInstance(_element, fields.Length - from);
            for (var i = 0; i < rest.Length; i++)
                rest.SetValue(Read(fields[from + i], from + i + 1), i);
            return rest;
        }
    }
}
