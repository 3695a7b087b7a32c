INSERT INTO todos VALUES
    ('clb4zna6x0000vt1swuwso25f', '11021cb836f34732b31e5ebd5dd5eb27', 'GGGG', NULL, NULL, 32767.5, false, false,
     NULL, NULL, NULL, '2022-12-01T11:23:09.000Z', '2022-12-01T11:23:09.241Z', 'claksl2ye0000vtas0h0ln71e',
     'clakt9v5t000kvt64f563l90l');
