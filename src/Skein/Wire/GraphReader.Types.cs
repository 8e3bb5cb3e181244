using System.Reflection;

namespace Skein;

sealed partial class GraphReader
{
    public Type ReadType() => ReadTypeOrNumber(out _);

    Codec ReadClass()
    {
        var type = ReadTypeOrNumber(out var number);
        if (number < 0)
            return CodecOf(type);
        var codecs = session.Codecs;
        while (codecs.Count <= number)
            codecs.Add(null);
        return codecs[number] ??= CodecOf(type);
    }

    Codec CodecOf(Type type) => Modules?.CodecFor(type) is { } codec ? codec
        : type.IsGenericTypeDefinition || (type.IsAbstract && !CodecChoice.IsWireType(type)) ? throw Bad($"{type} has no objects") : Codec.For(type);

    Type ReadTypeOrNumber(out int number)
    {
        var tag = ReadNumber();
        number = -1;
        if (tag >= 2)
        {
            tag -= 2;
            if (tag < (ulong)CommonTypes.Count)
                return CommonTypes.Get((int)tag);
            tag -= (ulong)CommonTypes.Count;
            if (tag >= (ulong)session.Types.Count)
                throw Bad("a type that was not described");
            number = (int)tag;
            return session.Types[number];
        }
        if (++_depth > WireLimits.MaxDepth)
            throw Bad("types are nested too deeply");
        var type = ReadDescription();
        _depth--;
        if (tag == 0 && !session.Types.IsFull)
        {
            number = session.Types.Count;
            session.Types.Append(type);
        }
        return type;
    }

    Type ReadDescription()
    {
        switch ((TypeKind)ReadByte())
        {
            case TypeKind.Framework:
                return TypePolicy.FrameworkType(ReadText(), ReadText());
            case TypeKind.Application:
                var type = ReadModule().Type(ReadToken());
                return Modules is null ? type : Modules.Map(type);
            case TypeKind.Generic:
                var definition = ReadType();
                if (!definition.IsGenericTypeDefinition)
                    throw Bad($"{definition} takes no type arguments");
                var arguments = new Type[definition.GetGenericArguments().Length];
                for (var i = 0; i < arguments.Length; i++)
                    arguments[i] = ReadType();
                return Bounded(KnownGenerics.Make(definition, arguments));
            case TypeKind.Array:
                return Bounded(ReadType().MakeArrayType());
            case TypeKind.RankedArray:
                var rank = ReadByte();
                return rank is >= 1 and <= 32 ? Bounded(ReadType().MakeArrayType(rank)) : throw Bad("an array of no dimensions");
            default:
                throw Bad("an unknown kind of type");
        }
    }

    // A part may be a number that stands for another such type: the depth of the description says nothing of the type's.
    static Type Bounded(Type type) => TypeShape.WhyNot(type) is { } reason ? throw Bad(reason) : type;

    public MethodInfo ReadMethod()
    {
        var tag = ReadNumber();
        if (tag >= 2)
            return tag - 2 < (ulong)session.Methods.Count ? session.Methods[(int)(tag - 2)] : throw Bad("a method that was not described");
        var type = ReadType();
        var token = ReadToken();
        var arguments = new Type[ReadByte()];
        for (var i = 0; i < arguments.Length; i++)
            arguments[i] = ReadType();
        var method = Modules is null ? TypePolicy.Method(type, token, arguments) : Modules.Method(type, token, arguments);
        if (tag == 0 && !session.Methods.IsFull)
            session.Methods.Append(method);
        return method;
    }

    int ReadToken()
    {
        var row = ReadNumber();
        return row <= 0xFFFFFF ? (int)row : throw Bad("not a metadata token");
    }

    KnownModule ReadModule()
    {
        var tag = ReadNumber();
        if (tag > 0)
            return tag - 1 < (ulong)session.KnownModules.Count ? session.KnownModules[(int)(tag - 1)] : throw Bad("a module that was not described");
        var name = ReadText();
        var mvid = new Guid(Take(16));
        var version = new Version(ReadCountless(), ReadCountless(), ReadCountless(), ReadCountless());
        var path = ReadText();
        var module = Modules?.Find(name, mvid) ?? KnownModule.Find(name, version, mvid, path);
        session.KnownModules.Append(module);
        return module;
    }

    int ReadCountless() => (int)(ReadNumber() & int.MaxValue);
}
