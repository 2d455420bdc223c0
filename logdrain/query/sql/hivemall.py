"""Names of Hivemall's functions, the machine learning library of Treasure Data's Hive: none is run here.

(https://hivemall.apache.org/userguide/misc/funcs.html)
"""

_NAMES = """
    add_bias add_feature_index add_field_indices add_field_indicies amplify angular_distance
    angular_similarity argmin_kld arow_regress arowe2_regress arowe_regress array_avg array_hash_values
    array_slice array_sum array_to_str auc average_precision base91 bbit_minhash binarize_label
    bits_collect bits_or bloom bloom_and bloom_contains bloom_contains_any bloom_not bloom_or bpr_sampling
    bprmf_predict build_bins categorical_features changefinder chi2 concat_array conditional_emit
    conv2dense convert_label cosine_distance cosine_similarity deflate dimsum_mapper distance2similarity
    each_top_k euclid_distance euclid_similarity extract_feature extract_weight f1score feature
    feature_binning feature_hashing feature_index feature_pairs ffm_features ffm_predict float_array
    fm_predict fmeasure guess_attribute_types haversine_distance hitrate hivemall_version indexed_features
    inflate item_pairs_sampling jaccard_distance jaccard_similarity jobid kld kpa_predict l1_normalize
    l2_norm l2_normalize lat2tiley lda_predict logloss logress lon2tilex lr_datagen mae manhattan_distance
    map_get_sum map_index map_key_values map_roulette map_tail_n map_url max_label maxrow mf_predict mhash
    minhash minhashes minkowski_distance mrr mse ndcg normalize_unicode okapi_bm25 onehot_encoding
    pa1_regress pa1a_regress pa2_regress pa2a_regress plsa_predict polynomial_features popcnt
    populate_not_in powered_features precision_at prefixed_hash_values quantified_features quantify
    quantitative_features r2 rand_amplify recall_at rescale rf_ensemble rmse rowid rownum select_k_best
    sigmoid singularize snr sort_and_uniq_array sort_by_feature split_words sst subarray subarray_endwith
    subarray_startwith taskid tf tf_idf tile tilex2lon tiley2lat to_bits to_dense to_dense_features to_map
    to_ordered_list to_ordered_map to_sparse to_sparse_features to_string_array to_top_k_list tokenize
    tokenize_cn tokenize_ja tokenize_ko transpose_and_dot tree_export tree_predict unbase91 unbits
    vectorize_features voted_avg weight_voted_avg word_ngrams x_rank xgboost_batch_predict xgboost_predict
    xgboost_version zscore
"""
_FUNCTIONS = frozenset(_NAMES.split())


def is_of_hivemall(name: str) -> bool:
    """Whether Hivemall has a function of this name."""
    return name.lower() in _FUNCTIONS or name.lower().startswith("train_")
